import { formatDuration } from '../../src/units.ts'
import { paint } from '../ui/colors.ts'
import type { Ui } from '../ui/ui.ts'

/** Tells when no proxy pod can be reached any more, and when one can again: once each, however many tunnels there are. */
export class Contact {
  readonly #ui: Pick<Ui, 'warn' | 'event'>
  readonly #now: () => number
  #lostAt: number | undefined

  constructor(ui: Pick<Ui, 'warn' | 'event'>, now: () => number = () => performance.now()) {
    this.#ui = ui
    this.#now = now
  }

  /** @param connected proxy pods with a tunnel now @param reason why the last one has none, where that is known */
  changed(connected: number, reason: string | undefined): void {
    if (connected === 0 && this.#lostAt === undefined) {
      this.#lostAt = this.#now()
      const why = reason ? ` (${reason})` : ''
      this.#ui.warn('tunnel-lost', `lost the cluster${why}; connections wait until it is back`)
    }
    if (connected > 0 && this.#lostAt !== undefined) {
      const downMs = Math.round(this.#now() - this.#lostAt)
      this.#lostAt = undefined
      this.#ui.event(
        { event: 'tunnel-back', downMs },
        `${paint.good('✔')} back in the cluster after ${formatDuration(downMs)}`,
      )
    }
  }
}
