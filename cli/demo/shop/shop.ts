/**
 * The sample shop: `web` calls `orders`, `orders` calls `inventory`. Plain Node scripts that pods get by ConfigMap, so that
 * it runs wherever the image `node` does: in the embedded cluster, or on any other (`kubectl apply` of `shopYaml()`).
 */
import { stringify } from 'yaml'
import type { KubeObject } from '../../../src/kube/types.ts'
import { inventoryScript } from './inventory-script.ts'
import { ordersScript } from './orders-script.ts'
import { webPage } from './web-page.ts'
import { webScript } from './web-script.ts'

export const shopNamespace = 'shop'
export const shopServices = ['inventory', 'orders', 'web'] as const

/** One that people do not use for servers of their own, which the embedded cluster would be in the way of. */
const containerPort = 18_080

export interface ShopOptions {
  readonly namespace?: string
  /** Pods of each. Default: two of orders, one of the others. */
  readonly replicas?: number
  readonly image?: string
}

/** The namespace and everything in it, in the order in which it is to be applied. */
export function shopObjects({
  namespace = shopNamespace,
  replicas,
  image = 'node:24-alpine',
}: ShopOptions = {}): KubeObject[] {
  const scripts = {
    'inventory.mjs': inventoryScript,
    'orders.mjs': ordersScript,
    'web.mjs': webScript,
    'page.html': webPage,
  }
  return [
    object('v1', 'Namespace', { name: namespace }, {}),
    object('v1', 'ConfigMap', { name: 'shop', namespace }, { data: scripts }),
    ...shopServices.map((name) => service(name, namespace)),
    ...shopServices.map((name) => deployment(name, namespace, replicas ?? (name === 'orders' ? 2 : 1), image)),
  ]
}

/** The same, for `kubectl apply -f -`. */
export function shopYaml(options: ShopOptions = {}): string {
  return shopObjects(options)
    .map((each) => `---\n${stringify(each, { lineWidth: 0 })}`)
    .join('')
}

function service(name: string, namespace: string): KubeObject {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }]
  return object(
    'v1',
    'Service',
    { name, namespace, labels: { app: name } },
    { spec: { selector: { app: name }, ports } },
  )
}

function deployment(name: string, namespace: string, replicas: number, image: string): KubeObject {
  const labels = { app: name }
  const container = {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', `/shop/${name}.mjs`],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'PORT', value: String(containerPort) },
    ],
    ports: [{ name: 'http', containerPort }],
    readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
    volumeMounts: [{ name: 'shop', mountPath: '/shop', readOnly: true }],
  }
  return object(
    'apps/v1',
    'Deployment',
    { name, namespace, labels },
    {
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 2,
            containers: [container],
            volumes: [{ name: 'shop', configMap: { name: 'shop' } }],
          },
        },
      },
    },
  )
}

function object(apiVersion: string, kind: string, metadata: KubeObject['metadata'], rest: object): KubeObject {
  return { apiVersion, kind, metadata, ...rest }
}
