import { spawnSync } from 'node:child_process'
import { type Family, type Firewall, firewalls } from '../../../../cli/outbound/twin/protocol.ts'

/** What a twin asks of each of them: a packet that waits in the kernel's queue. */
const iptables = '*mangle\n-A OUTPUT -p udp -j NFQUEUE --queue-num 0\nCOMMIT\n'
const nft = (family: string): string =>
  `table ${family} t {\n chain c {\n type filter hook output priority mangle;\n meta l4proto udp queue num 0\n }\n}\n`
const queues = {
  ipv4: { iptables: ['iptables-restore', iptables], nft: ['nft -f -', nft('ip')] },
  ipv6: { iptables: ['ip6tables-restore', iptables], nft: ['nft -f -', nft('ip6')] },
} as const

/** Those that are installed here, and whose queue the kernel has: some kernels have one for iptables only. */
export function firewallsHere(family: Family = 'ipv4'): Firewall[] {
  const namespaces = process.getuid?.() === 0 ? ['--net'] : ['--net', '--user', '--map-root-user']
  return firewalls.filter((firewall) => {
    const [program, rules] = queues[family][firewall]
    const script = `PATH=$PATH:/usr/sbin:/sbin exec ${program}`
    return spawnSync('unshare', [...namespaces, 'sh', '-c', script], { input: rules }).status === 0
  })
}
