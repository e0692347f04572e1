import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeFilesRoot } from '../../../../cli/outbound/files/files-root.ts'
import { openPodFiles, type PodFiles } from '../../../../cli/outbound/files/pod-files.ts'
import { removeTree } from '../../../../cli/outbound/files/remove-tree.ts'
import type { FilesTold } from '../../../../cli/outbound/files/told.ts'
import { KubeError } from '../../../../src/kube/error.ts'
import type { ConfigMap, Pod, PodSpec, Secret, Volume, VolumeMount } from '../../../../src/kube/objects.ts'
import { configMaps, pods, secrets, serviceAccounts } from '../../../../src/kube/resources.ts'
import type { Kube } from '../../../../src/kube/types.ts'
import { FakeKube } from '../../support/fake-kube.ts'

const namespace = 'shop'
const settings: Volume = { name: 'settings', configMap: { name: 'settings' } }
const tls: Volume = { name: 'tls', secret: { secretName: 'tls', defaultMode: 0o400 } }

let kube: FakeKube
/** Stands for the container's file system. */
let container: string
let told: FilesTold[]
let wakeUps: Set<() => void>
let open: PodFiles | undefined
let root: string

beforeEach(async () => {
  kube = new FakeKube()
  told = []
  wakeUps = new Set()
  open = undefined
  container = await mkdtemp(join(tmpdir(), 'intercept-test-'))
  root = await makeFilesRoot({ XDG_RUNTIME_DIR: container })
  putSettings({ 'app.yaml': 'level: debug\n' })
  kube.put<Secret>(secrets, { metadata: { name: 'tls', namespace }, data: { key: base64('private') } })
  kube.request = async () => ({ spec: { expirationSeconds: 3600 }, status: { token: 'token-1' } }) as never
  kube.execCommand = () => Promise.reject(new KubeError('forbidden', 'You may not exec.', { fix: 'ask for exec' }))
})
afterEach(async () => {
  await open?.close()
  await removeTree(container)
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const putSettings = (data: Record<string, string>): ConfigMap =>
  kube.put<ConfigMap>(configMaps, { metadata: { name: 'settings', namespace }, data })
const mount = (name: string, mountPath: string, more: Partial<VolumeMount> = {}): VolumeMount => ({
  name,
  mountPath,
  ...more,
})
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')

function podOf(volumes: Volume[], volumeMounts: VolumeMount[], spec: Partial<PodSpec> = {}): Pod {
  return {
    metadata: { name: 'orders-1', namespace, uid: 'u-1', labels: { app: 'orders' } },
    spec: { containers: [{ name: 'main', volumeMounts }], volumes, ...spec },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: {} } }],
    },
  }
}

const templateOf = (pod: Pod): Pod => ({ metadata: { name: '', labels: pod.metadata.labels ?? {} }, spec: pod.spec })

async function openFiles(
  pod: Pod,
  more: { mountPvc?: boolean; environment?: Record<string, string> } = {},
): Promise<PodFiles> {
  const environment = new Map(Object.entries(more.environment ?? {}).map(([name, value]) => [name, { value }]))
  const [first] = pod.spec.containers
  if (!first) throw new Error('no container')
  open = await openPodFiles(kube, {
    namespace,
    pod,
    container: first,
    root,
    mountPvc: more.mountPvc ?? false,
    environment,
    onTold: (one) => {
      told.push(one)
      for (const wake of wakeUps) wake()
    },
  })
  return open
}

/** Resolves when something with this code was told. */
function heard(code: FilesTold['code']): Promise<FilesTold> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = told.find((one) => one.code === code)
      if (found) resolve(found)
    }
    wakeUps.add(look)
    look()
  })
}

/** The user has no such right. */
function refuse(...plurals: string[]): void {
  kube.allowed = ({ resource }) => !plurals.includes(resource)
  kube.before = (verb, type) => {
    if (plurals.includes(type.plural)) {
      throw new KubeError('forbidden', `You may not ${verb} ${type.plural}.`, { fix: `ask for ${type.plural}` })
    }
  }
}

/** Commands run on this machine, below `container`. */
const execHere: Kube['execCommand'] = (_namespace, _pod, { command, onStdout }) =>
  new Promise((resolve, reject) => {
    const [program = '', ...rest] = command
    const args = rest.map((word) => (word.startsWith('/') ? join(container, word) : word))
    const child = execFile(program, args, { encoding: 'buffer' }, (error, stdout, stderr) => {
      const code = error ? Number(error.code) : 0
      if (error && Number.isNaN(code)) reject(new KubeError('exec-failed', error.message))
      else resolve({ code, stdout: onStdout ? Buffer.alloc(0) : stdout, stderr: String(stderr) })
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        onStdout?.(chunk)
      } catch (error) {
        child.kill()
        reject(error)
      }
    })
  })

describe('the tree', () => {
  test('has each mount at its path, for this user alone', async () => {
    const { mounts, missing } = await openFiles(
      podOf([settings, tls], [mount('settings', '/etc/orders'), mount('tls', '/tls/')]),
    )
    expect(missing).toEqual([])
    expect(mounts).toEqual([
      {
        mountPath: '/tls',
        source: join(root, 'tls'),
        kind: 'directory',
        readOnly: true,
        from: 'Secret shop/tls',
      },
      {
        mountPath: '/etc/orders',
        source: join(root, 'etc/orders'),
        kind: 'directory',
        readOnly: true,
        from: 'ConfigMap shop/settings',
      },
    ])
    expect([await read('etc/orders/app.yaml'), await read('tls/key')]).toEqual(['level: debug\n', 'private'])
    expect((await stat(join(root, 'tls/key'))).mode & 0o777).toBe(0o400)
    expect((await stat(root)).mode & 0o777).toBe(0o700)
  })

  test('mounts in mounts: a file over a name, a folder in a name, which is not seen then', async () => {
    const items = [
      { key: 'app.yaml', path: 'app.yaml' },
      { key: 'app.yaml', path: 'conf.d/app.yaml' },
      { key: 'app.yaml', path: 'other' },
    ]
    const { mounts } = await openFiles(
      podOf(
        [{ name: 'settings', configMap: { name: 'settings', items } }, tls],
        [
          mount('settings', '/etc/orders'),
          mount('tls', '/etc/orders/app.yaml', { subPath: 'key' }),
          mount('tls', '/etc/orders/conf.d/tls'),
        ],
      ),
    )
    expect(mounts.map(({ mountPath, kind }) => [mountPath, kind])).toEqual([
      ['/etc/orders', 'directory'],
      ['/etc/orders/app.yaml', 'file'],
      ['/etc/orders/conf.d/tls', 'directory'],
    ])
    expect(await read('etc/orders/app.yaml')).toBe('private')
    expect(await read('etc/orders/other')).toBe('level: debug\n')
    expect(await readdir(join(root, 'etc/orders/conf.d'))).toEqual(['tls'])
    expect(await read('etc/orders/conf.d/tls/key')).toBe('private')
    putSettings({ 'app.yaml': 'new' })
    await heard('files-changed')
    expect(await read('etc/orders/app.yaml')).toBe('private')
    expect(await read('etc/orders/other')).toBe('new')
    expect(await read('etc/orders/conf.d/tls/key')).toBe('private')
  })

  test('emptyDir: writable, one folder wherever it is mounted', async () => {
    const volumes: Volume[] = [{ name: 'one', emptyDir: {} }, { name: 'shared', emptyDir: {} }, settings]
    const { mounts } = await openFiles(
      podOf(volumes, [
        mount('one', '/tmp'),
        mount('shared', '/a'),
        mount('shared', '/b/c', { readOnly: true }),
        mount('shared', '/d', { subPath: 'sub' }),
        mount('settings', '/a/settings'),
      ]),
    )
    expect(mounts.map(({ mountPath, readOnly }) => [mountPath, readOnly])).toEqual([
      ['/a', false],
      ['/d', false],
      ['/tmp', false],
      ['/a/settings', true],
      ['/b/c', true],
    ])
    await writeFile(join(root, 'a/x'), 'shared')
    await writeFile(join(root, 'd/y'), 'below')
    expect([await read('b/c/x'), await read('a/sub/y')]).toEqual(['shared', 'below'])
    expect(await read('a/settings/app.yaml')).toBe('level: debug\n')
    expect(await readdir(join(root, 'tmp'))).toEqual([])
    for (const { mountPath, source } of mounts) {
      expect((await lstat(source)).isDirectory()).toBe(true)
      expect(await realpath(join(root, mountPath))).toBe(await realpath(source))
      expect(source.startsWith(`${root}/`)).toBe(true)
    }
  })

  test('sub-paths: a file, a folder, one that is not there; by the environment', async () => {
    putSettings({ a: '1', b: '2' })
    const items = [
      { key: 'a', path: 'orders-1/a' },
      { key: 'b', path: 'orders-1/sub/b' },
    ]
    const { mounts, missing } = await openFiles(
      podOf(
        [settings, { name: 'deep', configMap: { name: 'settings', items } }],
        [
          mount('settings', '/file', { subPath: 'a' }),
          mount('deep', '/folder', { subPathExpr: '$(POD_NAME)' }),
          mount('settings', '/none', { subPath: 'none' }),
          mount('deep', '/unknown', { subPathExpr: '$(NONE)' }),
        ],
      ),
      { environment: { POD_NAME: 'orders-1' } },
    )
    expect(Object.fromEntries(mounts.map(({ mountPath, kind }) => [mountPath, kind]))).toEqual({
      '/file': 'file',
      '/folder': 'directory',
      '/none': 'directory',
    })
    expect([await read('file'), await read('folder/a'), await read('folder/sub/b')]).toEqual(['1', '1', '2'])
    expect(await readdir(join(root, 'none'))).toEqual([])
    expect(missing.map(({ mountPath }) => mountPath).sort()).toEqual(['/none', '/unknown'])
  })
})

describe('updates', () => {
  test('follow the cluster; a sub-path does not', async () => {
    await openFiles(
      podOf([settings], [mount('settings', '/etc/orders'), mount('settings', '/part', { subPath: 'app.yaml' })]),
    )
    const before = await readlink(join(root, 'etc/orders/..data'))
    putSettings({ 'app.yaml': 'level: warn\n', more: '1' })
    expect(await heard('files-changed')).toMatchObject({ message: '/etc/orders changed in the cluster' })
    expect(await read('etc/orders/app.yaml')).toBe('level: warn\n')
    expect((await readdir(join(root, 'etc/orders'))).filter((name) => !name.startsWith('..'))).toEqual([
      'app.yaml',
      'more',
    ])
    expect(await readlink(join(root, 'etc/orders/..data'))).not.toBe(before)
    expect(await read('part')).toBe('level: debug\n')
  })

  test('what is deleted stays, and is told; what comes late is there then', async () => {
    kube.remove(secrets, namespace, 'tls')
    const { mounts, missing } = await openFiles(podOf([settings, tls], [mount('settings', '/s'), mount('tls', '/t')]))
    expect(missing).toMatchObject([{ mountPath: '/t', why: 'Secret shop/tls does not exist' }])
    expect(mounts).toHaveLength(2)
    kube.remove(configMaps, namespace, 'settings')
    expect(await heard('files-kept')).toMatchObject({
      message: '/s stays as it is: ConfigMap shop/settings does not exist',
    })
    expect(await read('s/app.yaml')).toBe('level: debug\n')
    kube.put<Secret>(secrets, { metadata: { name: 'tls', namespace }, data: { key: base64('late') } })
    await heard('files-changed')
    expect(await read('t/key')).toBe('late')
  })

  test("the pod's labels", async () => {
    const downwardAPI = { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] }
    const pod = podOf([{ name: 'info', downwardAPI }], [mount('info', '/info')])
    kube.put(pods, pod)
    await openFiles(pod)
    expect(await read('info/labels')).toBe('app="orders"')
    kube.put(pods, { ...pod, metadata: { ...pod.metadata, labels: { app: 'orders', tier: 'back' } } })
    await heard('files-changed')
    expect(await read('info/labels')).toBe('app="orders"\ntier="back"')
    // A pod that is gone keeps what it had; another one of its name is another.
    kube.put(pods, { ...pod, metadata: { ...pod.metadata, uid: 'u-2', labels: {} } })
    kube.remove(pods, namespace, 'orders-1')
    expect(await read('info/labels')).toBe('app="orders"\ntier="back"')
  })

  test('where watching is forbidden the files are read once, and it is told', async () => {
    kube.allowed = ({ verb }) => verb !== 'watch'
    await openFiles(podOf([settings], [mount('settings', '/s')]))
    expect(await read('s/app.yaml')).toBe('level: debug\n')
    expect(told).toMatchObject([
      {
        code: 'files-not-followed',
        message:
          'ConfigMap shop/settings is read once and not followed: User ada may not watch configmaps in namespace shop',
        fix: expect.stringMatching(/--verb=watch --resource=configmaps .*--user=ada/),
      },
    ])
  })
})

describe('what may not be read', () => {
  const mounts = [mount('settings', '/s'), mount('tls', '/t')]

  test('is missing, with why and fix; the rest is there', async () => {
    refuse('secrets')
    const files = await openFiles(podOf([settings, tls], mounts))
    expect(files.mounts.map(({ mountPath }) => mountPath)).toEqual(['/s'])
    expect(files.missing).toEqual([{ mountPath: '/t', why: 'You may not get secrets', fix: 'ask for secrets' }])
    expect(existsSync(join(root, 't'))).toBe(false)
    expect(told).toMatchObject([{ code: 'files-not-asked', fix: 'ask for exec' }])
  })

  test('comes from the running pod, as the kubelet has laid it out there', async () => {
    refuse('secrets')
    kube.execCommand = execHere
    await mkdir(join(container, 't/..2026_01_01/sub'), { recursive: true })
    await writeFile(join(container, 't/..2026_01_01/key'), 'from the pod')
    await symlink('..2026_01_01', join(container, 't/..data'))
    await symlink('..data/key', join(container, 't/key'))
    const files = await openFiles(podOf([settings, tls], mounts))
    expect(files.missing).toEqual([])
    expect(await read('t/key')).toBe('from the pod')
    expect((await stat(join(root, 't/key'))).mode & 0o777).toBe(0o400)
    expect((await readdir(join(root, 't'))).filter((name) => !name.startsWith('..'))).toEqual(['key'])
    expect(told).toMatchObject([{ code: 'files-not-followed', message: expect.stringContaining('in pod orders-1') }])
  })

  test("in the pod neither other mounts' files nor links count, and an empty volume is known to be one", async () => {
    refuse('secrets')
    kube.execCommand = execHere
    for (const path of ['t/..1', 't/mounted/x', 'e/..1']) await mkdir(join(container, path), { recursive: true })
    await writeFile(join(container, 't/..1/key'), 'its own')
    await writeFile(join(container, 't/mounted/x/other'), '')
    for (const path of ['t', 'e']) await symlink('..1', join(container, path, '..data'))
    const empty: Volume = { name: 'empty', secret: { secretName: 'none', optional: true } }
    const files = await openFiles(podOf([tls, empty], [mount('tls', '/t'), mount('empty', '/e')]))
    expect(files.missing).toEqual([])
    expect(files.mounts.map(({ mountPath }) => mountPath)).toEqual(['/e', '/t'])
    expect((await readdir(join(root, 't'))).filter((name) => !name.startsWith('..'))).toEqual(['key'])
    // One sentence for both.
    expect(told).toMatchObject([{ message: expect.stringMatching(/^\/e, \/t are read once, in pod orders-1/) }])
  })

  test('by cat, where the image has no tar', async () => {
    refuse('secrets')
    const ran: string[] = []
    kube.execCommand = (inNamespace, pod, command) => {
      ran.push(command.command.join(' '))
      if (command.command[0] === 'tar') {
        return Promise.reject(new KubeError('exec-failed', 'exec: "tar": executable file not found in $PATH'))
      }
      return execHere(inNamespace, pod, command)
    }
    await mkdir(join(container, 't'))
    await writeFile(join(container, 't/key'), 'by cat')
    await writeFile(join(container, 'part'), 'a part')
    const files = await openFiles(podOf([tls], [mount('tls', '/t')]))
    expect([await read('t/key'), files.missing]).toEqual(['by cat', []])
    expect(ran).toEqual(['tar -chf - /t', 'cat /t', 'ls -1A /t/..data', 'ls -1A /t', 'cat /t/key'])
    await files.close()
    root = await makeFilesRoot({ XDG_RUNTIME_DIR: container })
    const part = await openFiles(podOf([tls], [mount('tls', '/part', { subPath: 'key' })]))
    expect([await read('part'), part.mounts[0]?.kind]).toEqual(['a part', 'file'])
  })

  test('nobody is asked in a template', async () => {
    refuse('secrets')
    kube.execCommand = () => Promise.reject(new Error('asked'))
    const { missing } = await openFiles(
      templateOf(podOf([tls], [mount('tls', '/t')], { automountServiceAccountToken: false })),
    )
    expect(missing).toMatchObject([{ mountPath: '/t' }])
  })
})

describe("the service account's mount", () => {
  const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

  beforeEach(() => {
    kube.put<ConfigMap>(configMaps, { metadata: { name: 'kube-root-ca.crt', namespace }, data: { 'ca.crt': 'PEM' } })
  })

  test('a template gets it, as each pod does; the token is a fresh one', async () => {
    const asked: unknown[] = []
    kube.request = async (method, path, body) => {
      asked.push([method, path, body])
      return { spec: { expirationSeconds: 3607 }, status: { token: 'fresh' } } as never
    }
    const { mounts, missing } = await openFiles(templateOf(podOf([], [], { serviceAccountName: 'orders' })))
    expect([mounts.map((one) => one.mountPath), missing]).toEqual([[mountPath], []])
    expect(await read(`${mountPath}/token`)).toBe('fresh')
    expect(await read(`${mountPath}/ca.crt`)).toBe('PEM')
    expect(await read(`${mountPath}/namespace`)).toBe('shop')
    expect(asked).toEqual([
      [
        'POST',
        '/api/v1/namespaces/shop/serviceaccounts/orders/token',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3607 } },
      ],
    ])
  })

  test('not where the pod or its account wants none; the pod decides', async () => {
    const mountsOf = async (spec: Partial<PodSpec>): Promise<number> => {
      const files = await openFiles(templateOf(podOf([], [], spec)))
      await files.close()
      root = await makeFilesRoot({ XDG_RUNTIME_DIR: container })
      return files.mounts.length
    }
    expect(await mountsOf({ automountServiceAccountToken: false })).toBe(0)
    kube.put(serviceAccounts, {
      metadata: { name: 'default', namespace },
      automountServiceAccountToken: false,
    } as never)
    expect(await mountsOf({})).toBe(0)
    expect(await mountsOf({ automountServiceAccountToken: true })).toBe(1)
    expect(await mountsOf({ serviceAccountName: 'other' })).toBe(1)
  })

  test('a running pod shows what it has, and nothing is added', async () => {
    expect((await openFiles(podOf([], []))).mounts).toEqual([])
  })

  test('without a right to the token the rest is there', async () => {
    kube.request = () =>
      Promise.reject(
        new KubeError('forbidden', 'You may not create serviceaccounts/token in namespace shop.', { fix: 'ask' }),
      )
    const { missing } = await openFiles(templateOf(podOf([], [])))
    expect(missing).toEqual([
      {
        mountPath: `${mountPath}/token`,
        why: 'You may not create serviceaccounts/token in namespace shop',
        fix: 'ask',
      },
    ])
    expect(await read(`${mountPath}/ca.crt`)).toBe('PEM')
  })

  test('an audience and its seconds are asked for', async () => {
    const asked: unknown[] = []
    kube.request = async (_method, _path, body) => {
      asked.push((body as { spec: unknown }).spec)
      return { spec: {}, status: { token: 'for vault' } } as never
    }
    const token = { path: 'token', audience: 'vault', expirationSeconds: 900 }
    const projected = { sources: [{ serviceAccountToken: token }, { serviceAccountToken: { ...token, path: 'two' } }] }
    await openFiles(podOf([{ name: 'p', projected }], [mount('p', '/p')]))
    expect([await read('p/token'), await read('p/two')]).toEqual(['for vault', 'for vault'])
    expect(asked).toEqual([{ audiences: ['vault'], expirationSeconds: 900 }])
  })
})

describe('persistent volumes', () => {
  const data: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'data' } }
  const pod = podOf([data, settings], [mount('data', '/data'), mount('settings', '/data/conf')])

  test('are missing unless asked for', async () => {
    const { missing } = await openFiles(pod)
    expect(missing).toMatchObject([{ mountPath: '/data', fix: '--mount-pvc' }])
    expect(await read('data/conf/app.yaml')).toBe('level: debug\n')
  })

  test('are read-only copies, with what is mounted in them', async () => {
    kube.execCommand = execHere
    await mkdir(join(container, 'data/conf'), { recursive: true })
    await writeFile(join(container, 'data/conf/hidden'), '')
    await writeFile(join(container, 'data/rows'), 'x'.repeat(100_000), { mode: 0o664 })
    await symlink('rows', join(container, 'data/latest'))
    await symlink('/etc/passwd', join(container, 'data/out'))
    execFileSync('mkfifo', [join(container, 'data/pipe')])
    const { mounts, missing } = await openFiles(pod, { mountPvc: true })
    expect(missing).toEqual([])
    expect(mounts).toMatchObject([
      { mountPath: '/data', readOnly: true, from: 'PersistentVolumeClaim shop/data' },
      { mountPath: '/data/conf' },
    ])
    expect(await read('data/latest')).toBe('x'.repeat(100_000))
    expect((await stat(join(root, 'data/rows'))).mode & 0o777).toBe(0o444)
    expect((await readdir(join(root, 'data'))).sort()).toEqual(['conf', 'latest', 'rows'])
    expect((await readdir(join(root, 'data/conf'))).filter((name) => !name.startsWith('..'))).toEqual(['app.yaml'])
    expect(told).toMatchObject([{ code: 'files-incomplete', message: expect.stringContaining('out') }])
  })

  test('no link in one leads a mount out of the root', async () => {
    kube.execCommand = execHere
    await mkdir(join(container, 'data'))
    await symlink('.', join(container, 'data/conf'))
    await openFiles(pod, { mountPvc: true })
    expect((await lstat(join(root, 'data/conf'))).isSymbolicLink()).toBe(false)
    expect(await read('data/conf/app.yaml')).toBe('level: debug\n')
  })

  const failure: Record<string, [Kube['execCommand'], object]> = {
    'the user may not exec': [
      () => Promise.reject(new KubeError('forbidden', 'You may not get pods/exec.', { fix: 'ask' })),
      { why: 'PersistentVolumeClaim shop/data cannot be copied: You may not get pods/exec', fix: 'ask' },
    ],
    'the image has no tar': [
      () => Promise.reject(new KubeError('exec-failed', 'exec: "tar": executable file not found in $PATH')),
      { why: expect.stringContaining('container main of pod orders-1 has no tar') },
    ],
    'the pod is gone': [
      () => Promise.reject(new KubeError('not-found', 'pods "orders-1" not found')),
      { why: expect.stringContaining('pod orders-1 is gone') },
    ],
    'tar fails': [
      async () => ({ code: 2, stdout: Buffer.alloc(0), stderr: 'tar: /data: Cannot open: Permission denied\n' }),
      { why: expect.stringContaining('Cannot open: Permission denied') },
    ],
    'it is no archive': [
      async (_namespace, _pod, { onStdout }) => {
        onStdout?.(Buffer.alloc(1024, 'x'))
        return { code: 0, stdout: Buffer.alloc(0), stderr: '' }
      },
      { why: expect.stringContaining('no archive of tar') },
    ],
    'it is too large': [
      async (_namespace, _pod, { onStdout }) => {
        onStdout?.(hugeHeader())
        return { code: 0, stdout: Buffer.alloc(0), stderr: '' }
      },
      {
        why: expect.stringContaining('more than 268.4 MB'),
        fix: 'kubectl -n shop cp -c main orders-1:/data DIRECTORY',
      },
    ],
  }
  test.each(Object.keys(failure))('are missing where %s', async (name) => {
    const [exec, expected] = failure[name] as [Kube['execCommand'], object]
    kube.execCommand = exec
    const { mounts, missing } = await openFiles(podOf([data], [mount('data', '/data')]), { mountPvc: true })
    expect([mounts, missing]).toEqual([[], [expect.objectContaining({ mountPath: '/data', ...expected })]])
    expect(existsSync(join(root, 'data'))).toBe(false)
  })

  test('are missing where no pod runs', async () => {
    const { missing } = await openFiles(
      templateOf(podOf([data], [mount('data', '/data')], { automountServiceAccountToken: false })),
      { mountPvc: true },
    )
    expect(missing).toMatchObject([{ mountPath: '/data', fix: 'kubectl -n shop get pods' }])
  })
})

/** Of a file of a terabyte, and nothing of its content. */
function hugeHeader(): Buffer {
  const header = Buffer.alloc(512)
  header.write('data\0')
  header.write('0000644\0', 100)
  header.writeUInt8(0x80, 124)
  header.writeBigUInt64BE(10n ** 12n, 128)
  header.write('0', 156)
  const sum = header.reduce((total, byte) => total + byte, 8 * 32)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

describe('the end', () => {
  test('leaves nothing behind, whatever the program did there', async () => {
    const files = await openFiles(
      podOf([settings, { name: 'tmp', emptyDir: {} }], [mount('settings', '/s'), mount('tmp', '/tmp')]),
    )
    await mkdir(join(root, 'tmp/deep/er'), { recursive: true })
    putSettings({ 'app.yaml': 'changed while it ends' })
    await files.close()
    await files.close()
    expect(existsSync(root)).toBe(false)
    putSettings({ 'app.yaml': 'changed after it' })
    expect(existsSync(root)).toBe(false)
  })

  test('also where opening fails half way', async () => {
    kube.request = () => Promise.reject(new KubeError('api-unreachable', 'no answer'))
    const token = { sources: [{ serviceAccountToken: { path: 'token' } }] }
    const pod = podOf([settings, { name: 'p', projected: token }], [mount('settings', '/s'), mount('p', '/p')])
    await expect(openFiles(pod)).rejects.toMatchObject({ code: 'api-unreachable' })
    expect(existsSync(root)).toBe(false)
  })
})
