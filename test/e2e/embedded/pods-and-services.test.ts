import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../../cli/demo/cluster/cluster.ts'
import { type Dict, dictOf, dig, listOf } from '../../../cli/demo/cluster/json.ts'
import type { Address } from '../../../cli/demo/cluster/network/reach.ts'
import { connectKube } from '../../../src/kube/index.ts'
import {
  configMaps,
  deployments,
  endpointSlices,
  endpoints,
  namespaces,
  pods,
  services,
} from '../../../src/kube/resources.ts'
import type { Kube, KubeObject } from '../../../src/kube/types.ts'
import { raw } from './api-client.ts'
import { echoDeployment, echoPod, echoService, namespace } from './objects.ts'
import { isAlive } from './processes.ts'

const slicesKey = 'endpointslices.discovery.k8s.io'

describe.each([{ singleAddress: false }, { singleAddress: true }])('pods and Services, %o', ({ singleAddress }) => {
  let cluster: EmbeddedCluster
  let kube: Kube

  beforeAll(async () => {
    cluster = await startEmbeddedCluster({ singleAddress, backOffMs: 50 })
    kube = await connectKube({ kubeconfig: cluster.kubeconfigPath })
    await kube.create(namespaces, namespace('one'))
    await kube.create(services, echoService('one'))
    await kube.create(deployments, echoDeployment('one'))
    await untilEndpoints('one', 'echo', 2)
  })
  afterAll(() => cluster.stop())

  /** Ready addresses in the Service's own slices. */
  const ready = (slices: KubeObject[], ns: string, service: string): string[] =>
    slices
      .filter(
        ({ metadata }) =>
          metadata.namespace === ns &&
          metadata.labels?.['kubernetes.io/service-name'] === service &&
          metadata.labels['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io',
      )
      .flatMap((slice) => listOf(dig(slice, 'endpoints')).map(dictOf))
      .filter((endpoint) => dictOf(endpoint.conditions).ready === true)
      .map((endpoint) => String(dictOf(endpoint.targetRef).name))
  const untilEndpoints = (ns: string, service: string, count: number) =>
    cluster.until(slicesKey, (slices) => ready(slices, ns, service).length === count)

  test('a Service spreads new connections over its ready pods, TCP and UDP', async () => {
    expect(cluster.singleAddress).toBe(singleAddress)
    const address = await cluster.serviceAddress('one', 'echo', 'http')
    const seen = new Set<string>()
    while (seen.size < 2) seen.add((await get(address)).pod as string)
    const names = (await kube.list(pods, { namespace: 'one', labelSelector: 'app=echo' })).map(
      ({ metadata }) => metadata.name,
    )
    expect([...seen].sort()).toEqual(names.sort())
    if (!singleAddress) {
      const service = await kube.get(services, 'one', 'echo')
      expect(address.host).toBe(dig(service, 'spec', 'clusterIP'))
    }
    const udp = createSocket('udp4')
    const { host, port } = await cluster.serviceAddress('one', 'echo', 'dns')
    udp.send('hello', port, host)
    const [text] = await once(udp, 'message')
    udp.close()
    expect(String(text)).toMatch(/^echo-\S+ hello$/)
  })

  test('a selector key that matches nothing empties the slice, and custom slices then carry the traffic', async () => {
    await kube.create(pods, echoPod('one', 'other'))
    await kube.patch(pods, 'one', 'other', { metadata: { labels: { app: 'other' } } }, { type: 'merge' })
    await cluster.until<KubeObject>('pods', (all) =>
      listOf(
        dig(
          all.find(({ metadata }) => metadata.name === 'other'),
          'status',
          'containerStatuses',
        ),
      ).some((one) => dictOf(one).ready === true),
    )
    const { host, port } = cluster.podAddress('one', 'other', 'http')
    const before = ownSlice(await kube.list(endpointSlices, { namespace: 'one' }))
    await kube.create(endpointSlices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'mine',
        namespace: 'one',
        labels: { 'kubernetes.io/service-name': 'echo', 'endpointslice.kubernetes.io/managed-by': 'test.dev' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    } as KubeObject)
    await kube.patch(services, 'one', 'echo', { spec: { selector: { held: 'yes' } } }, { type: 'merge' })
    await untilEndpoints('one', 'echo', 0)
    const emptied = ownSlice(await kube.list(endpointSlices, { namespace: 'one' }))
    // With one address each pod has ports, and so a slice, of its own.
    const name = singleAddress ? expect.any(String) : before?.metadata.name
    expect(emptied).toMatchObject({ endpoints: null, ports: null, metadata: { name } })
    const address = await cluster.serviceAddress('one', 'echo', 'http')
    for (let round = 0; round < 5; round += 1) expect((await get(address)).pod).toBe('other')

    await kube.delete(endpointSlices, 'one', 'mine')
    await expect(get(address)).rejects.toThrow(/ECONNRESET|socket hang up/)
    await kube.patch(services, 'one', 'echo', { spec: { selector: { held: null } } }, { type: 'merge' })
    await untilEndpoints('one', 'echo', 2)
    expect(ownSlice(await kube.list(endpointSlices, { namespace: 'one' }))?.metadata).toMatchObject({ name })
    expect((await get(address)).pod).not.toBe('other')
    await kube.delete(pods, 'one', 'other', { gracePeriodSeconds: 0 })
  })

  test('an open connection stays with its pod when endpoints change; half-close reaches the other side', async () => {
    const { host, port } = await cluster.serviceAddress('one', 'echo', 'http')
    const socket = connect({ host, port, allowHalfOpen: true })
    socket.write('GET / HTTP/1.1\r\nHost: echo\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    const text = await untilText(socket, '\r\n\r\n')
    expect(text).toContain('101')
    await kube.patch(services, 'one', 'echo', { spec: { selector: { held: 'yes' } } }, { type: 'merge' })
    await untilEndpoints('one', 'echo', 0)
    socket.end('still here')
    expect(await untilEnd(socket)).toBe('still here')
    await kube.patch(services, 'one', 'echo', { spec: { selector: { held: null } } }, { type: 'merge' })
    await untilEndpoints('one', 'echo', 2)
  })

  test('pods whose port of a name differs get slices of their own', async () => {
    await kube.create(
      services,
      echoService('one', 'mixed', { selector: { app: 'mixed' }, ports: [{ port: 80, targetPort: 'web' }] }),
    )
    for (const [name, containerPort] of [
      ['mixed-a', 8080],
      ['mixed-b', 9090],
    ] as const) {
      const pod = echoPod('one', name, { ports: [{ name: 'web', containerPort }], readinessProbe: undefined })
      await kube.create(pods, { ...pod, metadata: { ...pod.metadata, labels: { app: 'mixed' } } })
    }
    await untilEndpoints('one', 'mixed', 2)
    const slices = await kube.list(endpointSlices, {
      namespace: 'one',
      labelSelector: 'kubernetes.io/service-name=mixed',
    })
    expect(slices.map((slice) => listOf(dig(slice, 'endpoints')).length)).toEqual([1, 1])
    for (const name of ['mixed-a', 'mixed-b']) await kube.delete(pods, 'one', name, { gracePeriodSeconds: 0 })
    await kube.delete(services, 'one', 'mixed')
    await cluster.until(
      slicesKey,
      (all) => !all.some(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'mixed'),
    )
  })

  test('a terminating pod is not ready but serving, and gone when its process has ended', async () => {
    await kube.create(services, echoService('one', 'slow', { selector: { app: 'slow' } }))
    const pod = echoPod('one', 'slow', { env: [{ name: 'LINGER_MS', value: '20000' }] })
    await kube.create(pods, { ...pod, metadata: { ...pod.metadata, labels: { app: 'slow' } } })
    await untilEndpoints('one', 'slow', 1)
    const [pid = 0] = cluster.podPids('one', 'slow')
    await kube.delete(pods, 'one', 'slow')
    await untilEndpoints('one', 'slow', 0)
    const [slice] = await kube.list(endpointSlices, {
      namespace: 'one',
      labelSelector: 'kubernetes.io/service-name=slow',
    })
    expect(dictOf(listOf(dig(slice, 'endpoints'))[0]).conditions).toEqual({
      ready: false,
      serving: true,
      terminating: true,
    })
    expect((await get(await cluster.serviceAddress('one', 'slow', 'http'))).pod).toBe('slow')
    process.kill(pid, 'SIGKILL')
    await cluster.until('pods', (all) => !all.some(({ metadata }) => metadata.name === 'slow'))
    expect(isAlive(pid)).toBe(false)
  })

  test('a crashed container comes back, and its log tells', async () => {
    const [pod] = await kube.list(pods, { namespace: 'one', labelSelector: 'app=echo' })
    const name = pod?.metadata.name ?? ''
    const restarts = (all: KubeObject[]) =>
      dictOf(
        listOf(
          dig(
            all.find(({ metadata }) => metadata.name === name),
            'status',
            'containerStatuses',
          ),
        )[0],
      )
    cluster.crashPod('one', name)
    await cluster.until('pods', (all) => restarts(all).restartCount === 1 && restarts(all).ready === true)
    expect(dig(restarts(await kube.list(pods)), 'lastState', 'terminated', 'exitCode')).toBe(137)
    const log = await raw(cluster.kubeconfigPath, 'GET', `/api/v1/namespaces/one/pods/${name}/log`)
    expect(log.text).toBe(`started ${name}\n`)
  })

  test('environment, service links, volumes and the service account are there', async () => {
    await kube.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'one' },
      data: { 'a.txt': 'A', mode: 'test' },
    } as KubeObject)
    const print = `
      const { readFileSync } = require('node:fs')
      const dns = require('node:dns')
      dns.lookup('echo', (error, address) => console.log(JSON.stringify({
        argument: readFileSync(process.argv[1], 'utf8'), inside: readFileSync('/etc/conf/a.txt', 'utf8'), error, address,
        token: readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8').split('.').length,
        env: process.env })))`
    await kube.create(
      pods,
      echoPod(
        'one',
        'print',
        {
          command: ['node', '-e', print, '/etc/conf/a.txt'],
          readinessProbe: undefined,
          env: [
            { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'conf', key: 'mode' } } },
            { name: 'WHERE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'BOTH', value: '$(MODE) in $(WHERE)' },
          ],
          volumeMounts: [{ name: 'conf', mountPath: '/etc/conf' }],
        },
        { restartPolicy: 'Never', volumes: [{ name: 'conf', configMap: { name: 'conf' } }] },
      ),
    )
    await cluster.until(
      'pods',
      (all) =>
        dig(
          all.find(({ metadata }) => metadata.name === 'print'),
          'status',
          'phase',
        ) === 'Succeeded',
    )
    const log = await raw(cluster.kubeconfigPath, 'GET', '/api/v1/namespaces/one/pods/print/log')
    const told = JSON.parse(log.text)
    const { port } = await cluster.serviceAddress('one', 'echo', 'http')
    expect(told).toMatchObject({ argument: 'A', inside: 'A', error: null, token: 3 })
    expect(told.address).toBe(dig(await kube.get(services, 'one', 'echo'), 'spec', 'clusterIP'))
    expect(told.env).toMatchObject({
      MODE: 'test',
      BOTH: 'test in one',
      HOSTNAME: 'print',
      ECHO_SERVICE_PORT: String(port),
      IP: told.env.POD_IP,
    })
    await kube.delete(pods, 'one', 'print')
  })

  test('volumes have modes, lose keys, and are mounted by part; commands find them', async () => {
    const data = { 'a.txt': 'A', 'b.txt': 'B' }
    await kube.create(configMaps, { metadata: { name: 'parts', namespace: 'one' }, data } as KubeObject)
    await kube.create(
      pods,
      echoPod(
        'one',
        'parts',
        {
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [
            { name: 'parts', mountPath: '/etc/parts' },
            { name: 'parts', mountPath: '/etc/one', subPath: 'a.txt' },
            { name: 'empty', mountPath: '/work', subPathExpr: 'of/$(POD_NAME)' },
          ],
        },
        {
          volumes: [
            { name: 'parts', configMap: { name: 'parts', defaultMode: 0o440 } },
            { name: 'empty', emptyDir: {} },
          ],
        },
      ),
    )
    await cluster.until('pods', (all) =>
      all.some((pod) => pod.metadata.name === 'parts' && dig(pod, 'status', 'phase') === 'Running'),
    )
    const run = (...command: string[]) => kube.execCommand('one', 'parts', { container: 'echo', command })
    expect((await run('stat', '-c', '%a', '/etc/parts/b.txt')).stdout.toString()).toBe('440\n')
    expect((await run('cat', '/etc/one')).stdout.toString()).toBe('A')
    expect((await run('touch', '/work/file')).code).toBe(0)
    await kube.patch(configMaps, 'one', 'parts', { data: { 'b.txt': null } }, { type: 'merge' })
    await vi.waitFor(async () => expect((await run('ls', '/etc/parts')).stdout.toString()).toBe('a.txt\n'), 10_000)
    await kube.delete(pods, 'one', 'parts', { gracePeriodSeconds: 0 })
    await untilEndpoints('one', 'echo', 2)
  })

  test('pods/proxy and services/proxy: requests, errors, and upgrades without their query', async () => {
    const path = (kind: string, name: string, rest: string) => `/api/v1/namespaces/one/${kind}/${name}/proxy${rest}`
    const [pod] = await kube.list(pods, { namespace: 'one', labelSelector: 'app=echo' })
    const name = pod?.metadata.name ?? ''
    const proxied = await raw(cluster.kubeconfigPath, 'POST', path('pods', `${name}:8080`, '/x/y%20z?a=b%2F'), {
      body: 'hello',
    })
    expect(proxied.body).toMatchObject({ pod: name, url: '/x/y%20z?a=b%2F', method: 'POST' })
    expect(proxied.body.headers).toMatchObject({
      'x-forwarded-uri': path('pods', `${name}:8080`, '/x/y%20z'),
      'x-forwarded-for': '127.0.0.1',
    })
    expect(proxied.body.headers).not.toHaveProperty('authorization')
    expect((await raw(cluster.kubeconfigPath, 'GET', path('services', 'echo:http', '/'))).body.url).toBe('/')
    expect((await raw(cluster.kubeconfigPath, 'GET', path('pods', name, ''))).status).toBe(301)
    expect((await raw(cluster.kubeconfigPath, 'GET', path('services', 'echo:none', '/'))).body).toMatchObject({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'no endpoints available for service "echo:none"',
    })
    const refused = await raw(cluster.kubeconfigPath, 'GET', path('pods', `${name}:1`, '/'))
    expect(refused.body).toMatchObject({
      code: 503,
      message: expect.stringMatching(/^error trying to reach service: dial tcp .*:1: connect: connection refused$/),
    })
    const { url, headers, options } = await kube.webSocketTarget(path('pods', `http:${name}:8080`, '/up?lost=1'))
    const upgraded = await upgrade(url, headers, options)
    expect(upgraded).toMatch(/101[\s\S]*X-Url: \/up\r\n[\s\S]*ping$/)
  })

  test('a container port that this machine uses at all addresses is mapped to another', async () => {
    const server = createServer((socket) => socket.end('not the pod')).listen(7_123, '0.0.0.0')
    await once(server, 'listening')
    const pod = echoPod('one', 'displaced', {
      ports: [{ name: 'http', containerPort: 7_123 }],
      command: ['node', '-e', 'require(\'http\').createServer((q, r) => r.end(\'{"pod":"mapped"}\')).listen(7123)'],
    })
    await kube.create(
      services,
      echoService('one', 'displaced', { selector: { app: 'displaced' }, ports: [{ port: 80, targetPort: 7_123 }] }),
    )
    await kube.create(pods, { ...pod, metadata: { ...pod.metadata, labels: { app: 'displaced' } } })
    await untilEndpoints('one', 'displaced', 1)
    expect(cluster.podAddress('one', 'displaced', 'http').port).not.toBe(7_123)
    expect((await get(await cluster.serviceAddress('one', 'displaced'))).pod).toBe('mapped')
    server.close()
    await kube.delete(services, 'one', 'displaced')
    await kube.delete(pods, 'one', 'displaced', { gracePeriodSeconds: 0 })
  })

  test('what keeps a pod from starting is told by events, and gone once it is there', async () => {
    const needs = { envFrom: [{ configMapRef: { name: 'later' } }], readinessProbe: undefined }
    await kube.create(pods, echoPod('one', 'waits', needs, { restartPolicy: 'Never' }))
    await cluster.until('events', (all) => all.some((event) => dig(event, 'message') === 'configmap "later" not found'))
    const waiting = listOf(dig(await kube.get(pods, 'one', 'waits'), 'status', 'containerStatuses')).map(dictOf)
    expect(dig(waiting[0], 'state', 'waiting', 'reason')).toBe('CreateContainerConfigError')
    await kube.create(configMaps, { metadata: { name: 'later', namespace: 'one' }, data: {} } as KubeObject)
    await cluster.until(
      'pods',
      (all) =>
        dig(
          all.find(({ metadata }) => metadata.name === 'waits'),
          'status',
          'phase',
        ) === 'Running',
    )
    await kube.delete(pods, 'one', 'waits', { gracePeriodSeconds: 0 })
  })

  test('Endpoints written by hand are mirrored for a Service without selector, and taken from its slices', async () => {
    const [pod] = await kube.list(pods, { namespace: 'one', labelSelector: 'app=echo' })
    const { host, port } = cluster.podAddress('one', pod?.metadata.name ?? '', 'http')
    await kube.create(services, echoService('one', 'manual', { selector: undefined, ports: [{ port: 80 }] }))
    await kube.create(endpoints, {
      metadata: { name: 'manual', namespace: 'one' },
      subsets: [{ addresses: [{ ip: host }], ports: [{ port }] }],
    } as KubeObject)
    await cluster.until(slicesKey, (all) =>
      all.some(
        ({ metadata: { labels } }) =>
          labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslicemirroring-controller.k8s.io',
      ),
    )
    expect((await get(await cluster.serviceAddress('one', 'manual'))).pod).toBe(pod?.metadata.name)
    await kube.delete(services, 'one', 'manual')
  })

  test('a log is followed until the container ends', async () => {
    const speaks = {
      command: ['node', '-e', "console.log('first'); setTimeout(() => console.log('last'), 300)"],
      readinessProbe: undefined,
    }
    await kube.create(pods, echoPod('one', 'speaks', speaks, { restartPolicy: 'Never' }))
    await cluster.until(
      'pods',
      (all) =>
        dig(
          all.find(({ metadata }) => metadata.name === 'speaks'),
          'status',
          'phase',
        ) === 'Running',
    )
    const followed = await raw(cluster.kubeconfigPath, 'GET', '/api/v1/namespaces/one/pods/speaks/log?follow=true')
    expect(followed.text).toBe('first\nlast\n')
    const tail = await raw(cluster.kubeconfigPath, 'GET', '/api/v1/namespaces/one/pods/speaks/log?tailLines=1')
    expect(tail.text).toBe('last\n')
  })

  test('port-forward reaches a port of the pod', async () => {
    const [pod] = await kube.list(pods, { namespace: 'one', labelSelector: 'app=echo' })
    const stream = await kube.portForward('one', pod?.metadata.name ?? '', 8080)
    stream.write('GET /forwarded HTTP/1.0\r\n\r\n')
    let text = ''
    for await (const chunk of stream) text += chunk
    expect(text).toContain('"url":"/forwarded"')
  })

  test('stop leaves no process, no listener and no folder', async () => {
    const all = await kube.list(pods, { namespace: 'one' })
    const pids = all.flatMap(({ metadata }) => cluster.podPids('one', metadata.name))
    const address = await cluster.serviceAddress('one', 'echo')
    expect(pids.length).toBeGreaterThan(0)
    await cluster.stop()
    expect(pids.filter(isAlive)).toEqual([])
    expect(existsSync(dirname(cluster.kubeconfigPath))).toBe(false)
    await expect(get(address)).rejects.toThrow('ECONNREFUSED')
    await expect(get({ host: '127.0.0.1', port: Number(new URL(cluster.server).port) })).rejects.toThrow('ECONNREFUSED')
  })
})

function ownSlice(slices: KubeObject[]): KubeObject | undefined {
  const managedBy = 'endpointslice.kubernetes.io/managed-by'
  return slices.find(({ metadata: { labels } }) => labels?.[managedBy] === 'endpointslice-controller.k8s.io')
}

function get(address: Address): Promise<Dict> {
  return new Promise((resolve, reject) => {
    const call = request({ ...address, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk
      })
      response.on('end', () => resolve(JSON.parse(text)))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end()
  })
}

async function untilText(socket: NodeJS.ReadableStream, mark: string): Promise<string> {
  let text = ''
  while (!text.includes(mark)) text += String((await once(socket, 'data'))[0])
  return text
}

async function untilEnd(socket: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

/** Upgrades by hand and says ping: what came back, all of it. */
async function upgrade(url: string, headers: Record<string, string>, options: object): Promise<string> {
  const { request: send } = await import('node:https')
  const call = send(url.replace(/^ws/, 'http'), {
    ...options,
    headers: { ...headers, connection: 'Upgrade', upgrade: 'echo' },
  })
  call.end()
  const [response, socket, head] = await once(call, 'upgrade')
  const raws = response.rawHeaders as string[]
  let text = `HTTP/1.1 ${response.statusCode}\r\n${raws.map((each, index) => (index % 2 ? `${each}\r\n` : `${each}: `)).join('')}\r\n${head}`
  socket.write('ping')
  while (!text.endsWith('ping')) text += String((await once(socket, 'data'))[0])
  socket.destroy()
  return text
}
