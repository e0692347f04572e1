/** The port of a URL that writes none, by its scheme. */
const usualPorts: Readonly<Record<string, number>> = {
  amqp: 5672,
  amqps: 5671,
  clickhouse: 9000,
  cockroachdb: 26_257,
  elasticsearch: 9200,
  etcd: 2379,
  ftp: 21,
  grpc: 80,
  http: 80,
  https: 443,
  ldap: 389,
  ldaps: 636,
  mariadb: 3306,
  memcached: 11_211,
  mongodb: 27_017,
  mqtt: 1883,
  mqtts: 8883,
  mysql: 3306,
  mysql2: 3306,
  nats: 4222,
  neo4j: 7687,
  bolt: 7687,
  postgres: 5432,
  postgresql: 5432,
  pulsar: 6650,
  redis: 6379,
  rediss: 6379,
  sftp: 22,
  smtp: 25,
  smtps: 465,
  sqlserver: 1433,
  ssh: 22,
  stomp: 61_613,
  ws: 80,
  wss: 443,
}

/** Undefined for a scheme that has none that we know. Of `postgresql+asyncpg` the first part counts. */
export function usualPort(scheme: string): number | undefined {
  const name = scheme.toLowerCase()
  for (const known of [name, name.split('+')[0] ?? '']) if (Object.hasOwn(usualPorts, known)) return usualPorts[known]
  return undefined
}

const tlsSchemes = new Set([
  'amqps',
  'bolt+s',
  'ftps',
  'grpcs',
  'https',
  'ldaps',
  'mqtts',
  'neo4j+s',
  'pulsar+ssl',
  'rediss',
  'smtps',
  'tls',
  'wss',
])
/** What asks libpq, MySQL and MongoDB to look at the name in a certificate. */
const checkedNames = /[?&;](?:sslmode=verify-full|ssl-?mode=verify_identity|(?:tls|ssl)=true)(?:[&;#]|$)/i

/** Whether who follows this URL compares its host with a certificate. @param rest what stands after the host */
export const checksName = (scheme: string, rest: string): boolean =>
  tlsSchemes.has(scheme.toLowerCase()) || checkedNames.test(rest)

/** Whether programs send it through HTTPS_PROXY. */
export const followsHttpsProxy = (scheme: string): boolean => /^(?:https|wss)$/i.test(scheme)

/** Its host is the name of an SRV record, which no address can stand for. */
export const isSrv = (scheme: string): boolean => /\+srv$/i.test(scheme)

/** Not TCP: no forwarder carries it. */
export const isOtherTransport = (scheme: string): boolean => /^(?:udp|sctp|unix|file|data|mailto)$/i.test(scheme)
