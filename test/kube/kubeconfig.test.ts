import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { kubeconfigFiles, loadKubeconfig } from '../../src/kube/config/kubeconfig.ts'
import { kubeconfigAccess } from '../../src/kube/config/kubeconfig-access.ts'
import { KubeError } from '../../src/kube/error.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intercept-kubeconfig-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: unknown): string {
  const file = join(folder, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : stringify(content))
  return file
}

const base = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'dev',
  clusters: [{ name: 'c', cluster: { server: 'https://dev.example.com:6443/' } }],
  users: [{ name: 'u', user: { token: 'secret' } }],
  contexts: [
    { name: 'dev', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
    { name: 'bare', context: { cluster: 'c' } },
    { name: 'broken', context: { cluster: 'nowhere' } },
  ],
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof KubeError) return error.code
    throw error
  }
  return ''
}

describe('which files', () => {
  it('are the option, else KUBECONFIG, else the one at home', () => {
    const env = { KUBECONFIG: ['/a', '', '/b'].join(delimiter) }
    expect(kubeconfigFiles('/x', env)).toEqual(['/x'])
    expect(kubeconfigFiles(undefined, env)).toEqual(['/a', '/b'])
    expect(kubeconfigFiles(undefined, {})).toEqual([join(homedir(), '.kube', 'config')])
  })
})

describe('several files', () => {
  it('are merged as kubectl does: the first wins, the missing are passed over', () => {
    const first = write('one', { ...base, 'current-context': '' })
    const second = write('two', {
      ...base,
      'current-context': 'other',
      clusters: [
        { name: 'c', cluster: { server: 'https://ignored' } },
        { name: 'd', cluster: { server: 'https://d' } },
      ],
    })
    const config = loadKubeconfig([join(folder, 'missing'), first, second])
    expect(config.currentContext).toBe('other')
    expect(config.clusters.get('c')?.value.server).toBe('https://dev.example.com:6443/')
    expect(config.clusters.get('d')).toMatchObject({ file: second })
  })

  it('that are all missing are an error, as is one that is not YAML', () => {
    expect(codeOf(() => loadKubeconfig([join(folder, 'missing')]))).toBe('kubeconfig-missing')
    expect(codeOf(() => loadKubeconfig([write('bad', 'a: [')]))).toBe('kubeconfig-invalid')
    expect(codeOf(() => loadKubeconfig([write('list', '- a')]))).toBe('kubeconfig-invalid')
    expect(loadKubeconfig([write('empty', '')]).contexts.size).toBe(0)
  })
})

describe('kubeconfigAccess', () => {
  it('takes the current context, or the one that is named, and its namespace', () => {
    const kubeconfig = write('config', base)
    expect(kubeconfigAccess({ kubeconfig })).toMatchObject({
      server: 'https://dev.example.com:6443',
      context: 'dev',
      namespace: 'shop',
    })
    expect(kubeconfigAccess({ kubeconfig, context: 'bare' })).toMatchObject({ context: 'bare', namespace: 'default' })
    expect(kubeconfigAccess({ kubeconfig, namespace: 'mine' }).namespace).toBe('mine')
  })

  it('says which contexts there are', () => {
    const kubeconfig = write('config', base)
    expect(codeOf(() => kubeconfigAccess({ kubeconfig, context: 'prod' }))).toBe('context-unknown')
    expect(() => kubeconfigAccess({ kubeconfig, context: 'prod' })).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('--context dev') }),
    )
    expect(codeOf(() => kubeconfigAccess({ kubeconfig: write('none', { ...base, 'current-context': '' }) }))).toBe(
      'context-unknown',
    )
    expect(codeOf(() => kubeconfigAccess({ kubeconfig, context: 'broken' }))).toBe('kubeconfig-invalid')
  })

  it('reads files relative to the kubeconfig that names them', async () => {
    write('sub/ca.pem', 'CA')
    write('sub/cert.pem', 'CERT')
    write('sub/key.pem', 'KEY')
    write('sub/token', ' from-file\n')
    const kubeconfig = write('sub/config', {
      ...base,
      clusters: [
        { name: 'c', cluster: { server: 'https://x', 'certificate-authority': 'ca.pem', 'tls-server-name': 'real' } },
      ],
      users: [{ name: 'u', user: { 'client-certificate': 'cert.pem', 'client-key': './key.pem', tokenFile: 'token' } }],
    })
    const access = kubeconfigAccess({ kubeconfig })
    expect(String(access.ca)).toBe('CA')
    expect(access.tlsServerName).toBe('real')
    const { cert, key, headers } = await access.credentials(false)
    expect([String(cert), String(key), headers.authorization]).toEqual(['CERT', 'KEY', 'Bearer from-file'])
  })

  it('reads the kubeconfig again when credentials are refused: somebody logged in', async () => {
    const kubeconfig = write('config', base)
    const access = kubeconfigAccess({ kubeconfig })
    write('config', { ...base, users: [{ name: 'u', user: { token: 'newer' } }] })
    expect((await access.credentials(false)).headers.authorization).toBe('Bearer secret')
    expect((await access.credentials(true)).headers.authorization).toBe('Bearer newer')
    expect((await access.credentials(false)).headers.authorization).toBe('Bearer newer')
  })

  it('impersonates', async () => {
    const user = {
      username: 'ann',
      password: 'pw',
      as: 'bob',
      'as-groups': ['dev', 'ops'],
      'as-user-extra': { 'Why/So': ['x'] },
    }
    const kubeconfig = write('config', { ...base, users: [{ name: 'u', user }] })
    expect((await kubeconfigAccess({ kubeconfig }).credentials(false)).headers).toEqual({
      authorization: `Basic ${Buffer.from('ann:pw').toString('base64')}`,
      'impersonate-user': 'bob',
      'impersonate-group': ['dev', 'ops'],
      'impersonate-extra-why%2Fso': ['x'],
    })
  })

  it('agrees with the official client', () => {
    const kubeconfig = write('config', {
      ...base,
      clusters: [
        {
          name: 'c',
          cluster: {
            server: 'https://dev.example.com:6443/',
            'certificate-authority-data': Buffer.from('CA').toString('base64'),
            'insecure-skip-tls-verify': true,
            'tls-server-name': 'real',
            'proxy-url': 'http://proxy:3128',
          },
        },
      ],
    })
    const official = new KubeConfig()
    official.loadFromFile(kubeconfig)
    for (const context of ['dev', 'bare']) {
      official.setCurrentContext(context)
      const ours = kubeconfigAccess({ kubeconfig, context })
      const theirs = official.getCurrentCluster()
      expect({
        server: ours.server,
        ca: (ours.ca as Buffer).toString('base64'),
        insecure: ours.insecure,
        name: ours.tlsServerName,
        proxy: ours.proxyUrl,
        namespace: ours.namespace,
      }).toEqual({
        server: theirs?.server,
        ca: theirs?.caData,
        insecure: theirs?.skipTLSVerify,
        name: theirs?.tlsServerName,
        proxy: theirs?.proxyUrl,
        namespace: official.getContextObject(context)?.namespace ?? 'default',
      })
    }
  })
})
