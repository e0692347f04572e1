import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { codeOf, InterceptError, messageOf } from '../../../../src/errors.ts'
import type { TwinSetup } from '../protocol.ts'
import { iptablesRules, nftRules } from './rules.ts'

/** Where system programs are that are not in everybody's PATH. */
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin` }

/** The interface that the program sees; the first kind that the kernel has. Without one the address is lo's. */
const interfaces = [['link add eth0 type dummy'], ['link add eth0 type veth peer name twin0', 'link set twin0 up']]

/** Settings of this namespace alone; where /proc is read-only they stay as they are. */
const settings: Readonly<Record<string, string>> = {
  // A program may listen where it would in the pod, also below 1024.
  '/proc/sys/net/ipv4/ip_unprivileged_port_start': '0',
  '/proc/sys/net/ipv4/ping_group_range': '0 2147483647',
}

/**
 * Makes this network namespace the twin's: every address is here, and the rules lead what goes out to the queue and the
 * listener. @param port of the listener @throws InterceptError 'no-ip', 'no-firewall'
 */
export async function setUpNetwork(
  { address, firewalls }: Pick<TwinSetup, 'address' | 'firewalls'>,
  port: number,
): Promise<void> {
  for (const [file, value] of Object.entries(settings)) {
    try {
      writeFileSync(file, value)
    } catch (error) {
      if (!['EROFS', 'EACCES', 'ENOENT', 'EINVAL'].includes(codeOf(error) ?? '')) throw error
    }
  }
  await ip('link set lo up')
  const device = await anInterface()
  await ip(`addr add ${address}/32 dev ${device}`)
  if (device !== 'lo') await ip(`link set ${device} up`)
  await ip(`route add local default dev lo src ${address}`)
  await setUpRules(firewalls, { address, port })
}

async function anInterface(): Promise<string> {
  for (const made of interfaces) {
    try {
      for (const step of made) await ip(step)
      return 'eth0'
    } catch (error) {
      if (codeOf(error) !== 'ip-failed') throw error
    }
  }
  return 'lo'
}

/** How each firewall is told its rules. */
const rulesBy = {
  iptables: { program: 'iptables-restore', args: ['--noflush'], rules: iptablesRules },
  nft: { program: 'nft', args: ['-f', '-'], rules: nftRules },
} as const

async function setUpRules(
  firewalls: TwinSetup['firewalls'],
  options: { readonly address: string; readonly port: number },
): Promise<void> {
  const reasons: string[] = []
  for (const firewall of firewalls) {
    const { program, args, rules } = rulesBy[firewall]
    try {
      await run(program, args, rules(options))
      return
    } catch (error) {
      reasons.push(messageOf(error))
    }
  }
  throw new InterceptError('no-firewall', reasons.join('; '))
}

async function ip(line: string): Promise<void> {
  try {
    await run('ip', line.split(' '))
  } catch (error) {
    throw new InterceptError(codeOf(error) === 'not-there' ? 'no-ip' : 'ip-failed', messageOf(error), { cause: error })
  }
}

function run(program: string, args: readonly string[], input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env }, (error, _stdout, stderr) => {
      if (!error) resolve()
      else if (codeOf(error) === 'ENOENT') reject(new InterceptError('not-there', `there is no ${program}`))
      else reject(new InterceptError('failed', `${program}: ${stderr.trim().split('\n')[0] || messageOf(error)}`))
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
