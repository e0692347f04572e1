import type { Ui } from '../ui/ui.ts'

/** The installation's address past the API server leads elsewhere: nothing fails, but whoever set it up should know. */
export function tellAstray(ui: Pick<Ui, 'warn'>, message: string): void {
  ui.warn(
    'direct-astray',
    `the direct way to the proxy pods is not used: ${message}`,
    'Whoever installed intercept corrects gateway.address; INTERCEPT_CARRIERS=pods/proxy leaves it alone',
  )
}
