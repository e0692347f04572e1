import { hostPort } from '../../src/ip-address.ts'
import type { CommandContext } from '../command.ts'
import { paint } from '../ui/colors.ts'
import type { Ui } from '../ui/ui.ts'
import type { PodSurroundings } from './pod-surroundings.ts'
import type { Surroundings } from './surroundings.ts'
import { ToldLately } from './told-lately.ts'

/** What a program is told itself, as in the pod. */
const toldByErrno: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])

/** As what the command runs. */
export function announceSurroundings(
  { ui, rest }: CommandContext,
  { kind }: Surroundings,
  pod: PodSurroundings | undefined,
  { way, reach }: { readonly way: { readonly route: string | undefined }; readonly reach: string },
): void {
  const mounts = pod?.files.mounts.map(({ mountPath, from }) => ({ mountPath, from })) ?? []
  const variables = pod?.values.size ?? 0
  const from = pod && { pod: pod.pod, container: pod.container, variables, mounts }
  const where = pod ? `as in ${pod.pod ?? 'a pod of the template'}, container ${pod.container}` : 'in the cluster'
  const what = pod ? `: ${count(variables, 'variable')}, ${count(mounts.length, 'mount')}` : ''
  ui.event(
    { event: 'surroundings', kind, reach, route: way.route, ...from },
    `${paint.good('✔')} ${paint.name(rest[0] ?? 'the command')} runs ${where}${what}, via ${way.route}`,
  )
}

/** Tells of connections that did not come about, where the program itself cannot see why; the same not again and again. */
export function failureTeller(ui: Ui) {
  const lately = new ToldLately()
  return (to: { readonly host: string; readonly port: number }, code: string, reason: string): void => {
    const line = `${hostPort(to.host, to.port)}: ${reason}`
    if (!toldByErrno.has(code) && lately.isNews(line)) ui.warnAside('not-connected', line)
  }
}

/** localhost:PORT leads to the program, or cannot. */
export function tellPort(ui: Ui, port: number, taken?: { readonly code: string; readonly reason: string }): void {
  if (ui.isJson) ui.event({ event: taken ? 'port-taken' : 'listening', port, ...taken })
  else if (taken) {
    const why = `localhost:${port} of this machine does not lead to the command, which listens there: ${taken.reason}`
    const fix = taken.code === 'EADDRINUSE' ? `ss -ltnp 'sport = :${port}'` : undefined
    ui.warnAside('port-taken', why, fix)
  }
}

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`
