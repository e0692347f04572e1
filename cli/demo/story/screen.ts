import type { Writable } from 'node:stream'
import { paint } from '../../ui/colors.ts'
import type { Tally } from './tally.ts'
import type { Answer, Traffic } from './traffic.ts'

export interface ScreenFacts {
  readonly file: string
  readonly page: string
  readonly kubeconfig: string
}

const redrawMs = 150
const plainMs = 1_000
const shownNews = 6
const colours: Record<keyof Tally, (text: string) => string> = {
  laptop: paint.laptop,
  cluster: paint.cluster,
  failed: paint.bad,
}

/** Who answers, redrawn in place on a terminal; elsewhere a line a second. */
export class Screen {
  readonly #out: Writable & { columns?: number; isTTY?: boolean }
  readonly #facts: ScreenFacts
  readonly #traffic: Traffic
  readonly #news: string[] = []
  readonly #timer: NodeJS.Timeout
  #drawn = 0
  #seen: Tally = { cluster: 0, laptop: 0, failed: 0 }

  constructor(out: Writable & { columns?: number; isTTY?: boolean }, traffic: Traffic, facts: ScreenFacts) {
    this.#out = out
    this.#traffic = traffic
    this.#facts = facts
    if (!out.isTTY) for (const line of this.#head()) out.write(`${line}\n`)
    this.#timer = setInterval(() => (out.isTTY ? this.#draw() : this.#line()), out.isTTY ? redrawMs : plainMs)
  }

  /** Something happened. */
  tell(text: string): void {
    const line = `${paint.aside(new Date().toTimeString().slice(0, 8))} ${text}`
    if (!this.#out.isTTY) {
      this.#out.write(`${line}\n`)
      return
    }
    this.#news.push(line)
    if (this.#news.length > shownNews) this.#news.shift()
    this.#draw()
  }

  close(): void {
    clearInterval(this.#timer)
    if (this.#out.isTTY) this.#draw()
  }

  #head(): string[] {
    const { file, page, kubeconfig } = this.#facts
    return [
      `  ${paint.name('edit')}     ${file}   ${paint.aside('runs again on each save')}`,
      `  ${paint.name('look')}     ${page}`,
      `  ${paint.name('kubectl')}  export KUBECONFIG=${kubeconfig}`,
    ]
  }

  #draw(): void {
    const width = Math.max(40, (this.#out.columns ?? 80) - 1)
    const { recent, byWho } = this.#traffic
    const last = recent.at(-1)
    const lines = [
      '',
      `  pod ${paint.name('web')} ──▶ Service ${paint.name('orders')} ──▶ ${last ? whoOf(last) : paint.aside('...')}`,
      `  ${paint.aside(last?.message ?? '')}`,
      '',
      `  ${recent
        .slice(-(width - 4))
        .map(({ kind }) => colours[kind](kind === 'failed' ? '✖' : '▇'))
        .join('')}`,
      `  ${[...byWho].map(([who, count]) => `${colourOf(who)(who)} ${count}`).join('   ')}   ${this.#failures()}`,
      '',
      ...this.#head(),
      '',
      ...this.#news.map((line) => `  ${line}`),
      '',
      `  ${paint.aside('Ctrl-C gives orders back to the cluster and removes everything')}`,
    ]
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}F` : ''
    this.#out.write(`${up}${lines.map((line) => `\x1b[2K${cut(line, width)}`).join('\n')}\n\x1b[J`)
    this.#drawn = lines.length
  }

  #line(): void {
    const now = this.#totals()
    const [laptop, cluster] = [now.laptop - this.#seen.laptop, now.cluster - this.#seen.cluster]
    this.#seen = now
    this.#out.write(
      `${new Date().toTimeString().slice(0, 8)} laptop ${laptop}  cluster ${cluster}  failed in all ${now.failed}\n`,
    )
  }

  #totals(): Tally {
    const sum: Tally = { cluster: 0, laptop: 0, failed: 0 }
    for (const tally of Object.values(this.#traffic.tallies)) {
      for (const kind of Object.keys(sum) as (keyof Tally)[]) sum[kind] += tally[kind]
    }
    return sum
  }

  #failures(): string {
    const { failed } = this.#totals()
    return failed === 0 ? paint.good('failed 0') : paint.bad(`failed ${failed}`)
  }
}

/** The line cut to so many columns; colours take none. A line that wraps would break the redrawing in place. */
function cut(line: string, width: number): string {
  let left = width
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
  return line.replaceAll(/\u001b\[[\d;]*m|[\s\S]/gu, (part) => {
    if (part.startsWith('\u001b')) return part
    left -= 1
    return left >= 0 ? part : ''
  })
}

function whoOf({ kind, who }: Answer): string {
  return colours[kind](kind === 'laptop' ? 'this machine' : kind === 'cluster' ? `pod ${who}` : `nobody: ${who}`)
}

function colourOf(who: string): (text: string) => string {
  if (who === 'laptop') return paint.laptop
  return /^orders-/.test(who) ? paint.cluster : paint.bad
}
