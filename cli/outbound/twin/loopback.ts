/**
 * What stays in the twin and is asked about all the same: a program may listen there, or else this machine does. The rest
 * of 127.0.0.0/8 is the cluster's, where that is one in a single process.
 */
export const loopbacks = { ipv4: '127.0.0.0/16', ipv6: '::1/128' } as const

export const isLoopback = (address: string): boolean => address.startsWith('127.0.') || address === '::1'
