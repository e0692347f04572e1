import { type FoundAddress, hostPattern, isPort } from './found-address.ts'

const element = new RegExp(`^(${hostPattern}):(\\d+)$`)
const bracketed = /^\[([0-9A-Fa-f:.]+)\]:(\d+)$/

/** `db:5432`, and lists of such (`kafka-0.kafka:9092, kafka-1.kafka:9092`): the whole value, or nothing of it. */
export function listedAddresses(value: string): FoundAddress[] {
  const found: FoundAddress[] = []
  for (const match of value.matchAll(/[^\s,;]+/g)) {
    const [text] = match
    const [, host, port = ''] = element.exec(text) ?? bracketed.exec(text) ?? []
    if (host === undefined || !isPort(port)) return []
    const start = match.index
    found.push({
      host,
      port: Number(port),
      start,
      end: start + text.length,
      what: 'host:port',
      isSure: false,
      saysProtocol: false,
    })
  }
  return found
}

const inParentheses = new RegExp(`@tcp\\((${hostPattern}):(\\d+)\\)`, 'gi')

/** `user:secret@tcp(db:3306)/x`: what Go's MySQL driver reads. */
export function driverAddresses(value: string): FoundAddress[] {
  return [...value.matchAll(inParentheses)].flatMap(({ index, 0: whole, 1: host = '', 2: port = '' }) => {
    const start = index + '@tcp('.length
    const end = index + whole.length - 1
    return isPort(port)
      ? [{ host, port: Number(port), start, end, what: 'host:port' as const, isSure: true, saysProtocol: true }]
      : []
  })
}

const settings = /(?<=^|[\s;])(host|server|port)\s*=\s*([^\s;]*)/gi
const checksName = /(?:^|[\s;])ssl\s*mode\s*=\s*(?:verify-?full|verifyidentity)(?=[\s;]|$)/i

/** `host=db port=5432 user=…` of libpq and `Host=db;Port=5432;…` of .NET. Several hosts, or no port, are not taken. */
export function settingAddresses(value: string): FoundAddress[] {
  const all = [...value.matchAll(settings)].map((match) => {
    const [whole, key = '', text = ''] = match
    return { key: key.toLowerCase(), text, start: match.index + whole.length - text.length }
  })
  const hosts = all.filter(({ key }) => key !== 'port')
  const ports = all.filter(({ key }) => key === 'port')
  const [host] = hosts
  const [port] = ports
  if (!host || !port || hosts.length + ports.length !== 2 || !isPort(port.text)) return []
  if (!new RegExp(`^${hostPattern}$`).test(host.text)) return []
  const both = {
    host: host.text,
    port: Number(port.text),
    isSure: true,
    saysProtocol: true,
    ...(checksName.test(value) ? { stays: 'tls' as const } : {}),
  }
  return [
    { ...both, start: host.start, end: host.start + host.text.length, what: 'host' },
    { ...both, start: port.start, end: port.start + port.text.length, what: 'port' },
  ]
}
