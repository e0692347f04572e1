import { Verdict } from '../protocol.ts'

/** Of the one queue of the twin. */
export const queueNumber = 0

/**
 * What stays in the twin and is asked about all the same: a program may listen there, or else this machine does. The rest
 * of 127.0.0.0/8 is the cluster's, where that is one in a single process.
 */
const loopback = '127.0.0.0/16'

interface RuleOptions {
  /** Port of the listener, on 127.0.0.1, transparent. */
  readonly port: number
  /** Of the twin's own interface. */
  readonly address: string
}

/** How the kernel answers a packet with that mark. */
const rejections = [
  { mark: Verdict.Refuse, iptables: 'tcp-reset', nft: 'tcp reset', protocol: 'tcp' },
  { mark: Verdict.HostUnreachable, iptables: 'icmp-host-unreachable', nft: 'icmp type host-unreachable' },
  { mark: Verdict.NetworkUnreachable, iptables: 'icmp-net-unreachable', nft: 'icmp type net-unreachable' },
  { mark: Verdict.PortUnreachable, iptables: 'icmp-port-unreachable', nft: 'icmp type port-unreachable' },
  { mark: Verdict.Prohibited, iptables: 'icmp-admin-prohibited', nft: 'icmp type admin-prohibited' },
] as const

/**
 * The rules of the twin, for iptables-restore. A connection's first packet and every datagram wait in the queue; what
 * becomes of them is written on them as a mark. A connection that is taken reaches the listener with its addresses as
 * they are.
 */
export function iptablesRules({ port, address }: RuleOptions): string {
  const queue = `-j NFQUEUE --queue-num ${queueNumber}`
  return `${[
    '*mangle',
    `-A OUTPUT -p tcp --syn -d ${address}/32 -j RETURN`,
    `-A OUTPUT -p tcp --syn ${queue}`,
    `-A OUTPUT -p udp -d ${loopback} -j RETURN`,
    `-A OUTPUT -p udp -d ${address}/32 -j RETURN`,
    `-A OUTPUT -p udp ${queue}`,
    `-A PREROUTING -i lo -p tcp --syn -m mark --mark ${Verdict.Take} -j TPROXY --on-ip 127.0.0.1 --on-port ${port}`,
    'COMMIT',
    '*filter',
    ...rejections.map(
      ({ mark, iptables, ...only }) =>
        `-A OUTPUT ${'protocol' in only ? `-p ${only.protocol} ` : ''}-m mark --mark ${mark} -j REJECT --reject-with ${iptables}`,
    ),
    ...[loopback, `${address}/32`].map((own) => `-A OUTPUT -d ${own} -j ACCEPT`),
    '-A OUTPUT -p tcp -j ACCEPT',
    '-A OUTPUT -p udp -j ACCEPT',
    // Every address is here: it would answer a ping to whatever host.
    '-A OUTPUT -j DROP',
    'COMMIT',
  ].join('\n')}\n`
}

/** The same for nft. */
export function nftRules({ port, address }: RuleOptions): string {
  const first = 'tcp flags & (fin | syn | rst | ack) == syn'
  const own = `{ ${loopback}, ${address} }`
  return `${[
    'table ip intercept {',
    '  chain ask {',
    '    type filter hook output priority mangle; policy accept;',
    `    ${first} ip daddr ${address} return`,
    `    ${first} queue num ${queueNumber}`,
    `    meta l4proto udp ip daddr ${own} return`,
    `    meta l4proto udp queue num ${queueNumber}`,
    '  }',
    '  chain take {',
    '    type filter hook prerouting priority mangle; policy accept;',
    `    iif "lo" ${first} meta mark ${Verdict.Take} tproxy to 127.0.0.1:${port} accept`,
    '  }',
    '  chain answer {',
    '    type filter hook output priority filter; policy accept;',
    ...rejections.map(
      ({ mark, nft, ...only }) =>
        `    ${'protocol' in only ? `meta l4proto ${only.protocol} ` : ''}meta mark ${mark} reject with ${nft}`,
    ),
    `    ip daddr ${own} accept`,
    '    meta l4proto { tcp, udp } accept',
    '    drop',
    '  }',
    '}',
  ].join('\n')}\n`
}
