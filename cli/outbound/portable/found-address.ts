/** Why an address stays as it is though it is of the cluster. */
export type StayReason =
  /** Who follows it compares the name with a certificate; HTTPS_PROXY leads there. */
  | 'https'
  /** The same, and no proxy variable leads there: only the Node preload and SOCKS do. */
  | 'tls'
  /** Its host is looked up as an SRV record. */
  | 'srv'
  /** No variable says which port is meant. */
  | 'no-port'
  /** Variables that belong together do not go together. */
  | 'unclear'

export interface Address {
  readonly host: string
  /** 1 to 65,535. */
  readonly port: number
}

/** An address that stands in a value. Offsets are of UTF-16 units. */
export interface FoundAddress extends Address {
  /** Of what is to be replaced; `what` tells by what. */
  readonly start: number
  readonly end: number
  readonly what: 'host' | 'port' | 'host:port'
  /** Whether something besides the text, such as a scheme, says that this is an address. */
  readonly isSure: boolean
  /** Whether the text says what is spoken there; otherwise the port does. */
  readonly saysProtocol: boolean
  readonly stays?: StayReason | undefined
}

/** Of a name or an IPv4 address, as part of a pattern. */
export const hostPattern =
  '(?:[A-Za-z0-9_](?:[-A-Za-z0-9_]*[A-Za-z0-9_])?(?:\\.[A-Za-z0-9_](?:[-A-Za-z0-9_]*[A-Za-z0-9_])?)*\\.?)'

export const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
