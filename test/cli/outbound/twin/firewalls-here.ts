import { spawnSync } from 'node:child_process'
import { type Firewall, firewalls } from '../../../../cli/outbound/twin/protocol.ts'

/** What a twin asks of each of them: a packet that waits in the kernel's queue. */
const queues = {
  iptables: ['iptables-restore', '*mangle\n-A OUTPUT -p udp -j NFQUEUE --queue-num 0\nCOMMIT\n'],
  nft: [
    'nft -f -',
    'table ip t {\n chain c {\n type filter hook output priority mangle;\n meta l4proto udp queue num 0\n }\n}\n',
  ],
} as const

/** Those that are installed here, and whose queue the kernel has: some kernels have one for iptables only. */
export function firewallsHere(): Firewall[] {
  const namespaces = process.getuid?.() === 0 ? ['--net'] : ['--net', '--user', '--map-root-user']
  return firewalls.filter((firewall) => {
    const [program, rules] = queues[firewall]
    const script = `PATH=$PATH:/usr/sbin:/sbin exec ${program}`
    return spawnSync('unshare', [...namespaces, 'sh', '-c', script], { input: rules }).status === 0
  })
}
