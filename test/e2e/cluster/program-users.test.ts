import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkTwin } from '../../../cli/outbound/twin/why-no-twin.ts'
import type { Deployment } from '../../../src/kube/objects.ts'
import { deployments } from '../../../src/kube/resources.ts'
import type { KubeObject, ResourceType } from '../../../src/kube/types.ts'
import { connectionType } from '../../../src/resource/connection.ts'
import { database } from '../support/databases.ts'
import { type OrdinaryUser, ordinaryUser } from '../support/ordinary-user.ts'
import { person } from '../support/person.ts'
import { type ProgramOptions, type ProgramRun, runProgram } from '../support/run-program.ts'
import { scenario } from '../support/scenario.ts'
import { until } from '../support/until.ts'
import { deployProgramPod, expected } from './programs/program-pod.ts'

const hasTwin = await checkTwin().then(
  () => true,
  () => false,
)
const s = scenario()
const probe = join(import.meta.dirname, 'programs', 'probe.mjs')

beforeAll(() => deployProgramPod(s.kube, s.namespace), 120_000)
afterAll(async () => {
  expect(await s.kube.list(connectionType, { namespace: s.namespace })).toEqual([])
})

const run = (
  args: readonly string[],
  command: readonly string[],
  options: Partial<ProgramOptions> = {},
): Promise<ProgramRun> =>
  runProgram(['run', ...args, '-n', s.namespace], command, {
    kubeconfig: s.cluster.driver.laptopKubeconfig ?? s.kubeconfig,
    prefix: s.cluster.driver.laptop,
    ...options,
  })

describe.skipIf(!hasTwin || process.platform !== 'linux')('an ordinary user of this machine, in a twin', () => {
  let user: OrdinaryUser
  beforeAll(() => {
    user = ordinaryUser(s.cluster.driver.laptopKubeconfig ?? s.kubeconfig)
  })
  afterAll(() => user?.remove())

  test('is herself: her folder, her files; and has what the pod has', async () => {
    const script = `
      const fs = require('node:fs')
      fs.writeFileSync('made', 'by her')
      fs.mkdirSync('folder')
      const outcome = (act) => { try { return act() } catch (error) { return error.code } }
      fetch('http://orders/').then((answer) => {
        fs.writeSync(1, JSON.stringify({
          uid: process.getuid(),
          cwd: process.cwd(),
          home: process.env.HOME,
          password: process.env.DB_PASSWORD,
          file: fs.readFileSync('/etc/app/app.json', 'utf8'),
          owner: fs.statSync('made').uid,
          shadow: outcome(() => fs.readFileSync('/etc/shadow', 'utf8') && 'read'),
          low: require('node:net').createServer().listen(80).address()?.port,
          who: answer.headers.get('x-who'),
        }))
        process.exit(7)
      })`
    const { said, code, stderr } = await run(['svc/app'], [process.execPath, '-e', script], {
      kubeconfig: user.kubeconfig,
      installation: user.installation,
      prefix: [...s.cluster.driver.laptop, ...user.prefix],
      env: user.env,
    })
    expect(said, stderr).toEqual({
      uid: user.uid,
      cwd: user.folder,
      home: user.folder,
      password: database.password,
      file: expected.file,
      owner: user.uid,
      shadow: 'EACCES',
      low: 80,
      who: expect.stringMatching(/^orders-/),
    })
    expect(code, stderr).toBe(7)
    expect(stderr).not.toContain('no namespaces')
    expect(readFileSync(join(user.folder, 'made'), 'utf8')).toBe('by her')
    for (const made of ['made', 'folder']) expect(statSync(join(user.folder, made)).uid).toBe(user.uid)
    expect(readdirSync(user.folder).sort()).toEqual(['folder', 'kubeconfig', 'made', 'program', 'runtime'])
    expect(readdirSync(join(user.folder, 'runtime'))).toEqual([])
  })
})

describe('a user of the cluster', () => {
  const looks = { apiGroups: [''], resources: ['services', 'pods'], verbs: ['get', 'list'] }
  const execs = { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] }
  const asks = ['env', 'file', 'http', 'sql', 'cache']

  test('who may run commands in pods, but not read Secrets and ConfigMaps, has all of it from the running pod', async () => {
    const kubeconfig = await person(s, 'exec', { clusterRoles: ['intercept-user'], rules: [looks, execs] })
    const { said, code, stderr } = await run(['svc/app'], [process.execPath, probe, ...asks], { kubeconfig })
    expect(said).toEqual({
      env: { greeting: expected.greeting, password: database.password },
      file: expected.file,
      http: expect.stringMatching(/^orders-/),
      sql: '42',
      cache: '+OK $4 kept',
    })
    expect(code, stderr).toBe(0)
    expect(stderr).not.toMatch(/DB_PASSWORD|GREETING|\/etc\/app is missing/)
  })

  test('who may do neither is told what is missing; the program starts with the rest', async () => {
    const kubeconfig = await person(s, 'neither', { clusterRoles: ['intercept-user'], rules: [looks] })
    const { said, code, stderr } = await run(['svc/app'], [process.execPath, probe, 'env', 'file', 'http', 'cache'], {
      kubeconfig,
    })
    expect(said).toEqual({
      env: {},
      file: 'ENOENT',
      http: expect.stringMatching(/^orders-/),
      cache: '+OK $4 kept',
    })
    expect(code, stderr).toBe(0)
    for (const told of ['DB_PASSWORD', 'GREETING', 'get secrets', 'pods/exec', '/etc/app is missing']) {
      expect(stderr).toContain(told)
    }
  })
})

describe('a persistent volume', () => {
  const volumes: ResourceType = {
    group: '',
    version: 'v1',
    plural: 'persistentvolumes',
    kind: 'PersistentVolume',
    namespaced: false,
  }
  const claims: ResourceType = {
    group: '',
    version: 'v1',
    plural: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    namespaced: true,
  }
  const folderOfNode = '/var/tmp/intercept-e2e-volume'
  type WithSpec = KubeObject & { spec: object }

  beforeAll(async () => {
    const { kube, namespace } = s
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' }
    await kube.create<WithSpec>(volumes, {
      metadata: { name: namespace },
      spec: {
        ...common,
        capacity: { storage: '10Mi' },
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: folderOfNode, type: 'DirectoryOrCreate' },
        claimRef: { namespace, name: 'kept' },
      },
    })
    await kube.create<WithSpec>(claims, {
      metadata: { name: 'kept', namespace },
      spec: { ...common, volumeName: namespace, resources: { requests: { storage: '10Mi' } } },
    })
    const labels = { app: 'kept' }
    await kube.create<WithSpec>(deployments, {
      metadata: { name: 'kept', namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 5,
            containers: [
              {
                name: 'main',
                image: 'node:24-alpine',
                imagePullPolicy: 'IfNotPresent',
                command: ['sh', '-c', 'mkdir -p /data/notes && echo kept >/data/notes/one && exec sleep 100000'],
                lifecycle: { preStop: { exec: { command: ['rm', '-r', '/data/notes'] } } },
                readinessProbe: { exec: { command: ['test', '-s', '/data/notes/one'] }, periodSeconds: 1 },
                volumeMounts: [{ name: 'data', mountPath: '/data' }],
              },
            ],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'kept' } }],
          },
        },
      },
    })
    await until('the pod with the volume', async () => {
      const found = await kube.get<Deployment>(deployments, namespace, 'kept')
      return found.status?.readyReplicas === 1
    })
  }, 120_000)
  afterAll(() => s.kube.delete(volumes, undefined, s.namespace))

  const script = `
    const fs = require('node:fs')
    const outcome = (act) => { try { return act() } catch (error) { return error.code } }
    const at = (process.env.INTERCEPT_ROOT ?? '') + '/data/notes/one'
    fs.writeSync(1, JSON.stringify({ one: outcome(() => fs.readFileSync(at, 'utf8')), wrote: outcome(() => fs.writeFileSync(at, 'x')) ?? 'yes' }))`
  const command = [process.execPath, '-e', script]

  test.skipIf(!hasTwin)('is copied with --mount-pvc, and may not be written to', async () => {
    const { said, stderr } = await run(['deploy/kept', '--mount-pvc'], command)
    expect(said, stderr).toEqual({ one: 'kept\n', wrote: 'EROFS' })
  })

  test('is below INTERCEPT_ROOT with --portable', async () => {
    const { said, stderr } = await run(['deploy/kept', '--mount-pvc', '--portable'], command)
    expect(said, stderr).toMatchObject({ one: 'kept\n' })
  })

  test('is told as missing without it, with what to type', async () => {
    const { said, stderr } = await run(['deploy/kept'], command)
    expect(said).toMatchObject({ one: 'ENOENT' })
    expect(stderr).toMatch(/\/data is missing: .*--mount-pvc/s)
  })
})
