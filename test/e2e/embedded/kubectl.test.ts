import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../../cli/demo/cluster/cluster.ts'
import { shopObjects } from '../../../cli/demo/shop/shop.ts'
import { widgets } from './objects.ts'

const run = promisify(execFile)
const kubectlPath = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'kubectl'))
  .find((file) => existsSync(file))

describe.skipIf(!kubectlPath)('a real kubectl', () => {
  let cluster: EmbeddedCluster
  beforeAll(async () => {
    cluster = await startEmbeddedCluster()
  })
  afterAll(() => cluster.stop())

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(kubectlPath ?? '', args, {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfigPath },
      timeout: 20_000,
    })
    return stdout
  }
  const applyObjects = (objects: object[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = execFile(
        kubectlPath ?? '',
        ['apply', '-f', '-'],
        { env: { ...process.env, KUBECONFIG: cluster.kubeconfigPath } },
        (error, stdout) => (error ? reject(error) : resolve(stdout)),
      )
      child.stdin?.end(objects.map((object) => `---\n${stringify(object)}`).join(''))
    })

  test('deploys the shop, waits for it, reads, changes and deletes', async () => {
    expect(await applyObjects(shopObjects({ replicas: 1 }))).toContain('deployment.apps/orders created')
    expect(await applyObjects(shopObjects({ replicas: 1 }))).toContain('deployment.apps/orders unchanged')
    expect(await kubectl('-n', 'shop', 'rollout', 'status', 'deploy/orders', '--timeout=15s')).toContain(
      'successfully rolled out',
    )
    await kubectl('-n', 'shop', 'wait', '--for=condition=Available', 'deploy/web', 'deploy/inventory', '--timeout=15s')
    expect(await kubectl('-n', 'shop', 'get', 'svc,endpointslices,pods')).toMatch(
      /service\/orders\s+ClusterIP[\s\S]*endpointslice.discovery.k8s.io\/orders-[\s\S]*pod\/orders-\S+\s+1\/1\s+Running/,
    )
    expect(await kubectl('-n', 'shop', 'describe', 'svc', 'orders')).toMatch(/Endpoints:\s+127\.\S+:18080/)
    const [pod = ''] = (await kubectl('-n', 'shop', 'get', 'pods', '-l', 'app=orders', '-o', 'name')).split('\n')
    const answer = await kubectl(
      'get',
      '--raw',
      `/api/v1/namespaces/shop/${pod.replace('pod/', 'pods/')}:http/proxy/?item=cortado`,
    )
    expect(JSON.parse(answer)).toMatchObject({ item: 'cortado', left: 7 })
    const inPod = ['-n', 'shop', 'exec', pod, '--']
    expect(await kubectl(...inPod, 'node', '-p', 'process.env.HOSTNAME')).toBe(`${pod.replace('pod/', '')}\n`)
    await expect(kubectl(...inPod, 'sh', '-c', 'exit 3')).rejects.toThrow('exit code 3')
    await expect(kubectl(...inPod, 'no-such-program')).rejects.toThrow('ENOENT')
    await kubectl('-n', 'shop', 'patch', 'svc', 'orders', '-p', '{"spec":{"ports":[{"port":80,"targetPort":18080}]}}')
    expect(await kubectl('-n', 'shop', 'get', 'svc', 'orders', '-o', 'jsonpath={.spec.ports[*].targetPort}')).toBe(
      '18080',
    )
    await kubectl('-n', 'shop', 'scale', 'deploy/orders', '--replicas=0')
    await kubectl('-n', 'shop', 'wait', '--for=delete', pod, '--timeout=15s')
    await kubectl('delete', 'namespace', 'shop', '--timeout=15s')
  })

  test('creates what it sends as protobuf, and knows custom resources', async () => {
    await kubectl('create', 'namespace', 'made')
    await kubectl('-n', 'made', 'create', 'configmap', 'settings', '--from-literal=a=b')
    expect(await kubectl('-n', 'made', 'get', 'configmap', 'settings', '-o', 'jsonpath={.data.a}')).toBe('b')
    await kubectl('-n', 'made', 'create', 'role', 'reader', '--verb=get', '--resource=pods')
    await kubectl('-n', 'made', 'create', 'rolebinding', 'reader', '--role=reader', '--user=erin')
    expect(await kubectl('auth', 'can-i', 'get', 'pods', '-n', 'made')).toBe('yes\n')
    expect(await kubectl('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')).toBe('kubernetes-admin')
    await applyObjects([widgets])
    await kubectl('wait', '--for=condition=Established', 'crd/widgets.test.dev', '--timeout=5s')
    await applyObjects([
      { apiVersion: 'test.dev/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'made' }, spec: { size: 4 } },
    ])
    expect(await kubectl('-n', 'made', 'get', 'wd')).toMatch(/NAME\s+SIZE\s+READY\nw\s+4\s/)
  })
})
