import type { Endpoint } from './keeper/ip-packet.ts'

/** What becomes of a packet that waits in the kernel's queue: the mark that the rules of the twin read. */
export const Verdict = {
  /** To the listener of the command line. */
  Take: 1,
  /** A TCP reset: refused. */
  Refuse: 2,
  HostUnreachable: 3,
  NetworkUnreachable: 4,
  /** For a datagram: refused. */
  PortUnreachable: 5,
  Prohibited: 6,
  /** As if the twin were not there: what stays within it. */
  Leave: 7,
  /** Nothing comes back, ever; a SYN is sent again by its sender. */
  Drop: 0,
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

/** One file or directory of this machine that stands at a path of the twin. */
export interface TwinMount {
  readonly source: string
  /** Absolute. Made, without a trace outside, where it does not exist. */
  readonly target: string
  readonly kind: 'file' | 'directory'
  readonly readOnly: boolean
}

export type Family = 'ipv4' | 'ipv6'

/** Programs that put rules into the kernel, in the order in which they are tried. */
export const firewalls = ['iptables', 'nft'] as const
export type Firewall = (typeof firewalls)[number]

export interface TwinSetup {
  /** Of the twin's own interface. Without one of IPv6 only `::1` is in the twin. */
  readonly addresses: { readonly ipv4: string; readonly ipv6: string | undefined }
  readonly mounts: readonly TwinMount[]
  /** A directory of ours for what the mounts need; empty. */
  readonly scratch: string
  /** One of which works is enough. */
  readonly firewalls: readonly Firewall[]
}

export interface TwinCommand {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Whose the command is: where the keeper is root of a namespace only, it goes back to being her. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined
}

/** From the command line to the keeper of the twin. */
export type ToKeeper =
  | ({ readonly kind: 'set-up' } & TwinSetup)
  | ({ readonly kind: 'run' } & TwinCommand)
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** About a packet that was asked about. */
  | { readonly kind: 'verdict'; readonly packet: number; readonly verdict: Verdict }
  /** A datagram from outside. */
  | { readonly kind: 'datagram'; readonly from: Endpoint; readonly to: Endpoint; readonly payload: Buffer }
  /** A connection to what listens in the twin. Answered with 'dialled', which carries the socket. */
  | { readonly kind: 'dial'; readonly id: number; readonly port: number }
  /** Ends what still runs in the twin, then the keeper. */
  | { readonly kind: 'end' }

/** From the keeper to the command line. */
export type FromKeeper =
  /** Carries the listener at which the twin's connections of one family arrive. Before 'ready'. */
  | { readonly kind: 'listener' }
  /** With what is in the way of IPv6, where the twin has none. */
  | { readonly kind: 'ready'; readonly withoutIPv6?: string | undefined }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** A new connection; it waits for its verdict. */
  | { readonly kind: 'connection'; readonly packet: number; readonly from: Endpoint; readonly to: Endpoint }
  /** A datagram; it waits for its verdict, and is gone whatever it is. */
  | {
      readonly kind: 'datagram'
      readonly packet: number
      readonly from: Endpoint
      readonly to: Endpoint
      readonly payload: Buffer
    }
  /** TCP ports at which something listens in the twin, after each change. */
  | { readonly kind: 'listening'; readonly ports: readonly number[] }
  | { readonly kind: 'dialled'; readonly id: number; readonly code?: string; readonly message?: string }
  | { readonly kind: 'not-started'; readonly message: string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** What still runs when the twin ends gets so long, in milliseconds. */
export const graceMs = 2_000

/** File descriptors of the program's standard error: the command line's, and the same in the keeper. */
export const programErrors = { outside: 2, keeper: 4 } as const
