import { isIP } from 'node:net'

/** The variables by which programs find a proxy. */
export type ProxyVariables = Readonly<Record<string, string>>

/**
 * @param api host of the API server: who is on the way into the cluster does not go through it to reach its API
 * @param env the environment that they are added to: its NO_PROXY and JAVA_TOOL_OPTIONS are kept
 */
export function proxyVariables(
  { host, port }: { readonly host: string; readonly port: number },
  api: string,
  env: Readonly<Record<string, string | undefined>>,
): ProxyVariables {
  const socks = `socks5h://${host}:${port}`
  const http = `http://${host}:${port}`
  const kept = (env.NO_PROXY ?? env.no_proxy ?? '').split(',').map((one) => one.trim())
  // Python compares with the brackets of a URL.
  const loopback = ['localhost', '127.0.0.1', '::1', '[::1]']
  const direct = [...new Set([...loopback, api, ...kept])].filter((one) => one !== '')
  const none = direct.join(',')
  // For URLs a JVM asks the last two, for all else the first.
  const java = [
    ...['socksProxy', 'http.proxy', 'https.proxy'].map((kind) => `-D${kind}Host=${host} -D${kind}Port=${port}`),
    ...['socksNonProxyHosts', 'http.nonProxyHosts'].map((name) => `-D${name}=${javaPatterns(direct)}`),
  ]
  return {
    ALL_PROXY: socks,
    HTTP_PROXY: http,
    HTTPS_PROXY: http,
    NO_PROXY: none,
    // Many programs know only these; curl knows no other for plain HTTP.
    all_proxy: socks,
    http_proxy: http,
    https_proxy: http,
    no_proxy: none,
    JAVA_TOOL_OPTIONS: [env.JAVA_TOOL_OPTIONS, ...java].filter(Boolean).join(' '),
    // Node's fetch and http follow the variables where this is set (24, 22.21).
    NODE_USE_ENV_PROXY: '1',
  }
}

/**
 * NO_PROXY as a JVM has it: patterns that begin or end with `*`. Networks (`10.0.0.0/8`) have no such form, and what
 * would not be one word is no host.
 */
function javaPatterns(direct: readonly string[]): string {
  const patterns = direct
    .filter((one) => !/[/\s|"'\\]/.test(one))
    .flatMap((one) => {
      if (one === '127.0.0.1') return ['127.*']
      if (one.includes('*') || one.includes(':') || isIP(one) > 0) return [one]
      const name = one.replace(/^\./, '')
      return name === one ? [name, `*.${name}`] : [`*.${name}`]
    })
  return [...new Set(patterns)].join('|')
}

/** Lines that set them in a shell. */
export function shellLines(variables: ProxyVariables, shell: 'posix' | 'powershell'): string[] {
  return Object.entries(variables).map(([name, value]) =>
    shell === 'posix'
      ? `export ${name}='${value.replaceAll("'", "'\\''")}'`
      : `$env:${name} = '${value.replaceAll("'", "''")}'`,
  )
}
