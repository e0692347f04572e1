import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { codeOf, InterceptError, messageOf } from '../../../../src/errors.ts'
import type { TwinSetup } from '../protocol.ts'
import { textOfFile } from '../text-of-file.ts'
import { iptablesRules, nftRules, type RuleOptions } from './rules.ts'

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

/** Allows that every address is bound, for which a local route is enough in IPv4 only. */
const bindAnySetting = '/proc/sys/net/ipv6/ip_nonlocal_bind'
const settingsOfIPv6: typeof settings = {
  // What this machine does without, the pod has.
  '/proc/sys/net/ipv6/conf/all/disable_ipv6': '0',
  [bindAnySetting]: '1',
}

interface NetworkSetup extends Pick<TwinSetup, 'firewalls'> {
  /** Of the family's listener. */
  readonly port: number
}

/**
 * Makes this network namespace the twin's: every address of IPv4 is here, and the rules lead what goes out to the queue
 * and the listener. @returns the name of its interface @throws InterceptError 'no-ip', 'no-firewall'
 */
export async function setUpIPv4({ address, firewalls, port }: NetworkSetup & { address: string }): Promise<string> {
  write(settings)
  await ip('link set lo up')
  const device = await anInterface()
  await ip(`addr add ${address}/32 dev ${device}`)
  if (device !== 'lo') await ip(`link set ${device} up`)
  await ip(`route add local default dev lo src ${address}`)
  await setUpRules(firewalls, { family: 'ipv4', address, port })
  return device
}

/**
 * The same for IPv6, after that. @param address undefined: only `::1` is there @param device that `setUpIPv4` made
 * @throws InterceptError 'no-ipv6', 'no-firewall', 'ip-failed'
 */
export async function setUpIPv6({
  address,
  device,
  firewalls,
  port,
}: NetworkSetup & { address: string | undefined; device: string }): Promise<void> {
  if (address !== undefined) write(settingsOfIPv6)
  if (!hasIPv6()) throw new InterceptError('no-ipv6', 'this system has no IPv6')
  // Replies to datagrams leave from the address of who sends them.
  if (address !== undefined && textOfFile(bindAnySetting) !== '1') {
    throw new InterceptError('no-ipv6', `${bindAnySetting} cannot be written`)
  }
  // Before there is a way out, so that nothing takes it unasked.
  await setUpRules(firewalls, { family: 'ipv6', address, port })
  if (address === undefined) return
  // Nobody else is on this network who could have the address.
  await ip(`-6 addr add ${address}/128 dev ${device} nodad`)
  await ip(`-6 route add local default dev lo src ${address}`)
}

/** Whether this namespace has `::1`: where IPv6 is off it is not there, whatever it was that has switched it off. */
const hasIPv6 = (): boolean => /^0{31}1 /m.test(textOfFile('/proc/net/if_inet6') ?? '')

function write(all: typeof settings): void {
  for (const [file, value] of Object.entries(all)) {
    try {
      writeFileSync(file, value)
    } catch (error) {
      if (!['EROFS', 'EACCES', 'ENOENT', 'EINVAL'].includes(codeOf(error) ?? '')) throw error
    }
  }
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
  iptables: {
    programs: { ipv4: 'iptables-restore', ipv6: 'ip6tables-restore' },
    args: ['--noflush'],
    rules: iptablesRules,
  },
  nft: { programs: { ipv4: 'nft', ipv6: 'nft' }, args: ['-f', '-'], rules: nftRules },
} as const

async function setUpRules(firewalls: TwinSetup['firewalls'], options: RuleOptions): Promise<void> {
  const reasons: string[] = []
  for (const firewall of firewalls) {
    const { programs, args, rules } = rulesBy[firewall]
    try {
      await run(programs[options.family], args, rules(options))
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
