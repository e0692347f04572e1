import type { KubeObject } from '../../../src/kube/types.ts'

/** Answers with its pod's name, the path and some headers; echoes UDP; speaks WebSocket-like upgrades. */
const script = `
const { createServer } = require('node:http')
const server = createServer((request, response) => {
  if (request.url === '/exit') process.exit(3)
  response.setHeader('x-pod', process.env.HOSTNAME)
  response.end(JSON.stringify({ pod: process.env.HOSTNAME, url: request.url, method: request.method, headers: request.headers }))
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\nX-Url: ' + request.url + '\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(8080)
const udp = require('node:dgram').createSocket('udp4')
udp.on('message', (text, from) => udp.send(process.env.HOSTNAME + ' ' + text, from.port, from.address))
udp.bind(5353)
process.on('SIGTERM', () => setTimeout(() => process.exit(0), Number(process.env.LINGER_MS ?? 0)))
console.log('started', process.env.HOSTNAME)
`

export function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

export function echoService(namespaceName: string, name = 'echo', spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: namespaceName },
    spec: {
      selector: { app: 'echo' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 5353 },
      ],
      ...spec,
    },
  } as KubeObject
}

export function echoPod(namespaceName: string, name: string, container: object = {}, spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: namespaceName, labels: { app: 'echo' } },
    spec: { terminationGracePeriodSeconds: 2, containers: [{ ...echoContainer, ...container }], ...spec },
  } as KubeObject
}

export const echoContainer = {
  name: 'echo',
  image: 'node:22',
  command: ['node', '-e', script],
  ports: [
    { name: 'http', containerPort: 8080 },
    { name: 'dns', containerPort: 5353, protocol: 'UDP' },
  ],
  readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
}

export function echoDeployment(namespaceName: string, name = 'echo', replicas = 2): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: namespaceName },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'echo' } },
      template: {
        metadata: { labels: { app: 'echo' } },
        spec: { terminationGracePeriodSeconds: 2, containers: [echoContainer] },
      },
    },
  } as KubeObject
}

export const widgets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.dev' },
  spec: {
    group: 'test.dev',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 9 },
                  colour: { type: 'string', enum: ['red', 'blue'], default: 'red' },
                  owner: { type: 'string', pattern: '^[a-z]+$' },
                  ports: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['port'],
                    items: {
                      type: 'object',
                      required: ['port'],
                      properties: { port: { type: 'integer' }, name: { type: 'string' } },
                    },
                  },
                },
                'x-kubernetes-validations': [
                  { rule: "self.colour != 'blue' || self.size > 2", message: 'blue ones are big' },
                  { rule: '!has(oldSelf.owner) || self.owner == oldSelf.owner', message: 'owner stays' },
                ],
              },
              status: {
                type: 'object',
                properties: {
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: {
                      type: 'object',
                      required: ['type', 'status'],
                      properties: { type: { type: 'string' }, status: { type: 'string' } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
} as KubeObject
