/**
 * What the preload and the CLI that started it say to each other. The preload asks on a connection of its own (one
 * line of JSON each way); then the connection itself comes to the port that the answer names. So its bytes, TLS
 * included, are nothing but the program's.
 */
export interface DialRequest {
  /** An IP address. */
  readonly host: string
  readonly port: number
}

export type DialAnswer =
  /** The cluster's side is connected: whoever connects first to this port of 127.0.0.1 has it. */
  | { readonly port: number }
  /** An errno's name as the cluster saw it, or what refused it. */
  | { readonly code: string }

/** Longest line, in bytes. */
export const mostLineBytes = 1_024

/** Variables that a program gets with the preload. */
export const PreloadVariable = {
  /** `127.0.0.1:PORT` of the DialServer; without it the preload does nothing. */
  Dial: 'INTERCEPT_DIAL',
  /** `127.0.0.1:PORT` of the DnsListener, UDP and TCP; without it names are resolved by this machine. */
  Dns: 'INTERCEPT_DNS',
  /** What resolv.conf of a pod says: domains, then options (`ndots:5`), with spaces between. */
  Search: 'INTERCEPT_SEARCH',
} as const
