import { type Command, type CommandContext, flagOf } from '../command.ts'
import { type DemoResult, type DemoStep, runDemo, runDemoOnce } from '../demo/demo.ts'
import { paint } from '../ui/colors.ts'
import { proxyBundle } from './install.ts'

/** 128 and SIGINT, as shells have it. */
const interruptedCode = 130

/** SIGHUP: the terminal was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export const demo: Command = {
  usage: 'demo',
  help: 'See it at work, in a cluster inside this process',
  details:
    'Starts a small cluster in this process with a sample shop, sends requests, and intercepts its Service orders with a file that you edit.',
  options: {
    once: { type: 'boolean', help: 'Run the whole story unattended, count every request, and end' },
    'single-address': { type: 'boolean', help: 'Everything on 127.0.0.1, as it is on macOS' },
  },
  examples: [
    ['intercept demo', 'until Ctrl-C'],
    ['intercept demo --once -o json', 'unattended; one JSON object'],
  ],
  run: async (context, options) => {
    const { ui } = context
    const interrupted = new AbortController()
    const interrupt = () => interrupted.abort()
    for (const name of signals) process.on(name, interrupt)
    const settings = {
      cli: process.argv[1] ?? '',
      bundle: proxyBundle(),
      signal: interrupted.signal,
      onStep: (step: DemoStep) => tellStep(context, step, flagOf(options, 'once')),
      ...(flagOf(options, 'single-address') ? { singleAddress: true } : {}),
    }
    // A terminal that is gone must not keep us from cleaning up.
    process.stdout.on('error', interrupt)
    try {
      ui.live.set(() => 'starting a cluster, the proxy and the shop')
      if (flagOf(options, 'once')) {
        const result = await runDemoOnce(settings)
        ui.live.clear()
        ui.result(result, () => describeResult(result))
        return succeeded(result) ? 0 : 1
      }
      const tallies = await runDemo(settings, ui.isJson ? process.stderr : process.stdout)
      ui.event({ event: 'ended', requests: tallies })
      return 0
    } catch (error) {
      if (interrupted.signal.aborted) return interruptedCode
      throw error
    } finally {
      ui.live.clear()
      for (const name of signals) process.off(name, interrupt)
    }
  },
}

function tellStep({ ui }: CommandContext, step: DemoStep, once: boolean): void {
  // With --once -o json the result is the one object on stdout.
  const text = textOfStep(step)
  if (!once) {
    if (step.event === 'intercept') ui.live.clear()
    ui.event({ ...step }, text)
  } else if (!ui.isJson && text !== undefined) ui.live.print(text)
}

function textOfStep(step: DemoStep): string | undefined {
  switch (step.event) {
    case 'cluster':
      return `${paint.good('✔')} a cluster, after ${step.ms} ms\n  export KUBECONFIG=${step.kubeconfig}`
    case 'deployed':
      return `${paint.good('✔')} the shop: web, orders, inventory, after ${step.ms} ms`
    case 'installed':
      return `${paint.good('✔')} two proxy pods, after ${step.ms} ms`
    case 'intercept':
      return undefined
    default:
      return step satisfies never
  }
}

function succeeded({ requests, failures }: DemoResult): boolean {
  const failed = requests.before.failed + requests.during.failed + requests.after.failed
  return requests.during.laptop > 0 && failed === 0 && failures.length === 0
}

function describeResult({ requests, takeoverMs, releaseMs, failures }: DemoResult): string {
  const lines = Object.entries(requests).map(
    ([phase, { cluster, laptop, failed }]) =>
      `  ${phase.padEnd(7)} cluster ${cluster}  laptop ${laptop}  failed ${failed}`,
  )
  return [
    `taken over in ${takeoverMs} ms, given back in ${releaseMs} ms`,
    ...lines,
    ...failures.map((each) => `  ${each}`),
  ].join('\n')
}
