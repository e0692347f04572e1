import { loopbacks } from '../loopback.ts'
import { type Family, Verdict } from '../protocol.ts'

/** Of the one queue of the twin. */
export const queueNumber = 0

export interface RuleOptions {
  readonly family: Family
  /** Port of the listener, on this family's localhost, transparent. */
  readonly port: number
  /** Of the twin's own interface; undefined: nothing of the family leaves the twin, localhost is all there is. */
  readonly address: string | undefined
}

/** How the kernel answers a packet with that mark. */
const rejections = [
  {
    mark: Verdict.Refuse,
    protocol: 'tcp',
    iptables: { ipv4: 'tcp-reset', ipv6: 'tcp-reset' },
    nft: { ipv4: 'tcp reset', ipv6: 'tcp reset' },
  },
  {
    mark: Verdict.HostUnreachable,
    iptables: { ipv4: 'icmp-host-unreachable', ipv6: 'icmp6-addr-unreachable' },
    nft: { ipv4: 'icmp type host-unreachable', ipv6: 'icmpv6 type addr-unreachable' },
  },
  {
    mark: Verdict.NetworkUnreachable,
    iptables: { ipv4: 'icmp-net-unreachable', ipv6: 'icmp6-no-route' },
    nft: { ipv4: 'icmp type net-unreachable', ipv6: 'icmpv6 type no-route' },
  },
  {
    mark: Verdict.PortUnreachable,
    iptables: { ipv4: 'icmp-port-unreachable', ipv6: 'icmp6-port-unreachable' },
    nft: { ipv4: 'icmp type port-unreachable', ipv6: 'icmpv6 type port-unreachable' },
  },
  {
    mark: Verdict.Prohibited,
    iptables: { ipv4: 'icmp-admin-prohibited', ipv6: 'icmp6-adm-prohibited' },
    nft: { ipv4: 'icmp type admin-prohibited', ipv6: 'icmpv6 type admin-prohibited' },
  },
] as const

/** What the families are called. */
const words = {
  ipv4: { bits: 32, listener: '127.0.0.1', nft: 'ip', nftListener: '127.0.0.1' },
  ipv6: { bits: 128, listener: '::1', nft: 'ip6', nftListener: '[::1]' },
} as const

/**
 * The rules of the twin for one family, for iptables-restore or ip6tables-restore. A connection's first packet and every
 * datagram wait in the queue; what becomes of them is written on them as a mark. A connection that is taken reaches the
 * listener with its addresses as they are.
 */
export function iptablesRules({ family, port, address }: RuleOptions): string {
  const { bits, listener } = words[family]
  const loopback = loopbacks[family]
  const queue = `-j NFQUEUE --queue-num ${queueNumber}`
  const own = address === undefined ? undefined : `${address}/${bits}`
  const asked =
    own === undefined
      ? [`-A OUTPUT -p tcp --syn -d ${loopback} ${queue}`]
      : [
          `-A OUTPUT -p tcp --syn -d ${own} -j RETURN`,
          `-A OUTPUT -p tcp --syn ${queue}`,
          `-A OUTPUT -p udp -d ${loopback} -j RETURN`,
          `-A OUTPUT -p udp -d ${own} -j RETURN`,
          `-A OUTPUT -p udp ${queue}`,
        ]
  return `${[
    '*mangle',
    ...asked,
    `-A PREROUTING -i lo -p tcp --syn -m mark --mark ${Verdict.Take} -j TPROXY --on-ip ${listener} --on-port ${port}`,
    'COMMIT',
    '*filter',
    ...rejections.map(
      ({ mark, iptables, ...only }) =>
        `-A OUTPUT ${'protocol' in only ? `-p ${only.protocol} ` : ''}-m mark --mark ${mark} -j REJECT --reject-with ${iptables[family]}`,
    ),
    ...[loopback, ...(own === undefined ? [] : [own])].map((to) => `-A OUTPUT -d ${to} -j ACCEPT`),
    '-A OUTPUT -p tcp -j ACCEPT',
    '-A OUTPUT -p udp -j ACCEPT',
    // Every address is here: it would answer a ping to whatever host.
    '-A OUTPUT -j DROP',
    'COMMIT',
  ].join('\n')}\n`
}

/** The same for nft. */
export function nftRules({ family, port, address }: RuleOptions): string {
  const { nft: ip, nftListener } = words[family]
  const loopback = loopbacks[family]
  const first = 'tcp flags & (fin | syn | rst | ack) == syn'
  const own = address === undefined ? loopback : `{ ${loopback}, ${address} }`
  const asked =
    address === undefined
      ? [`    ${first} ${ip} daddr ${loopback} queue num ${queueNumber}`]
      : [
          `    ${first} ${ip} daddr ${address} return`,
          `    ${first} queue num ${queueNumber}`,
          `    meta l4proto udp ${ip} daddr ${own} return`,
          `    meta l4proto udp queue num ${queueNumber}`,
        ]
  return `${[
    `table ${ip} intercept {`,
    '  chain ask {',
    '    type filter hook output priority mangle; policy accept;',
    ...asked,
    '  }',
    '  chain take {',
    '    type filter hook prerouting priority mangle; policy accept;',
    `    iif "lo" ${first} meta mark ${Verdict.Take} tproxy to ${nftListener}:${port} accept`,
    '  }',
    '  chain answer {',
    '    type filter hook output priority filter; policy accept;',
    ...rejections.map(
      ({ mark, nft, ...only }) =>
        `    ${'protocol' in only ? `meta l4proto ${only.protocol} ` : ''}meta mark ${mark} reject with ${nft[family]}`,
    ),
    `    ${ip} daddr ${own} accept`,
    '    meta l4proto { tcp, udp } accept',
    '    drop',
    '  }',
    '}',
  ].join('\n')}\n`
}
