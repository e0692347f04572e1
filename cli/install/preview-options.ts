import { InterceptError } from '../../src/errors.ts'
import { installDefaults, type PreviewValues } from './options.ts'

const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const domainName = new RegExp(`^${label}(\\.${label})*$`)
const target = new RegExp(`^(?<namespace>${label})/(?<service>${label})(:(?<port>[1-9]\\d{0,4}))?$`)
/** A label and a dot of a host come before it. */
const maxDomain = 189

/**
 * Preview host names as asked for on the command line; undefined: none. @param namespaces where the proxy may act; empty:
 * everywhere. @throws InterceptError 'usage'
 */
export function previewOf(asked: {
  readonly domain: string | undefined
  readonly service: string | undefined
  readonly host: string | undefined
  readonly namespaces: readonly string[]
}): PreviewValues | undefined {
  const { domain, service, host = '', namespaces } = asked
  if (domain === undefined && service === undefined && host === '') return undefined
  if (domain === undefined || service === undefined) {
    throw wrong(`${domain === undefined ? '--preview-domain' : '--preview-service'} is missing`)
  }
  const name = domain.toLowerCase()
  if (!domainName.test(name) || name.length > maxDomain) throw wrong(`"${domain}" is not a domain`)
  const found = target.exec(service)?.groups
  const port = Number(found?.port ?? 80)
  if (!found?.namespace || !found.service || port > 65_535) throw wrong(`"${service}" is not NAMESPACE/NAME[:PORT]`)
  if (!/^[-.:A-Za-z0-9]*$/.test(host)) throw wrong(`"${host}" is not a host`)
  if (namespaces.length > 0 && !namespaces.includes(found.namespace)) {
    throw new InterceptError(
      'usage',
      `the proxy may not act in namespace ${found.namespace}, where the preview's Service is`,
      {
        fix: `--only-namespace ${found.namespace}`,
      },
    )
  }
  const { preview } = installDefaults
  return { ...preview, enabled: true, domain: name, namespace: found.namespace, service: found.service, port, host }
}

const wrong = (message: string): InterceptError =>
  new InterceptError('usage', `preview hosts: ${message}`, {
    fix: 'intercept install --preview-domain preview.example.com --preview-service shop/web:80',
  })
