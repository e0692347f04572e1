import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { proxyVariables, shellLines } from '../../../cli/outbound/proxy-variables.ts'

const at = { host: '127.0.0.1', port: 1080 }

it('every program finds its own', () => {
  expect(proxyVariables(at, 'k8s.example', {})).toEqual({
    ALL_PROXY: 'socks5h://127.0.0.1:1080',
    HTTP_PROXY: 'http://127.0.0.1:1080',
    HTTPS_PROXY: 'http://127.0.0.1:1080',
    NO_PROXY: 'localhost,127.0.0.1,::1,[::1],k8s.example',
    all_proxy: 'socks5h://127.0.0.1:1080',
    http_proxy: 'http://127.0.0.1:1080',
    https_proxy: 'http://127.0.0.1:1080',
    no_proxy: 'localhost,127.0.0.1,::1,[::1],k8s.example',
    JAVA_TOOL_OPTIONS:
      '-DsocksProxyHost=127.0.0.1 -DsocksProxyPort=1080 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=1080 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=1080 -DsocksNonProxyHosts=localhost|*.localhost|127.*|::1|[::1]|k8s.example|*.k8s.example -Dhttp.nonProxyHosts=localhost|*.localhost|127.*|::1|[::1]|k8s.example|*.k8s.example',
    NODE_USE_ENV_PROXY: '1',
  })
})

it('what the environment has is kept', () => {
  const { NO_PROXY, JAVA_TOOL_OPTIONS } = proxyVariables(at, '127.0.0.1', {
    NO_PROXY: '.corp.example, localhost',
    JAVA_TOOL_OPTIONS: '-Xmx1g',
  })
  expect(NO_PROXY).toBe('localhost,127.0.0.1,::1,[::1],.corp.example')
  expect(JAVA_TOOL_OPTIONS).toMatch(/^-Xmx1g -DsocksProxyHost/)
})

it('a JVM gets what it can say of NO_PROXY', () => {
  const { JAVA_TOOL_OPTIONS } = proxyVariables(at, '10.1.2.3', { NO_PROXY: '.corp.example,10.0.0.0/8,*.a,b c' })
  expect(JAVA_TOOL_OPTIONS).toMatch(
    / -Dhttp\.nonProxyHosts=localhost\|\*\.localhost\|127\.\*\|::1\|\[::1\]\|10\.1\.2\.3\|\*\.corp\.example\|\*\.a$/,
  )
})

it('a shell reads back what was written', () => {
  const lines = shellLines({ A: "it's $HOME `x`", B: 'two words' }, 'posix').join('\n')
  expect(execFileSync('sh', ['-c', `${lines}\nprintf '%s|%s' "$A" "$B"`], { encoding: 'utf8' })).toBe(
    "it's $HOME `x`|two words",
  )
  expect(shellLines({ A: "it's" }, 'powershell')).toEqual(["$env:A = 'it''s'"])
})
