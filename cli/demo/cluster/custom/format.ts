import { isIPv4, isIPv6 } from 'node:net'

/** The formats of OpenAPI that the API server checks and that are of use here; unknown ones always fit. */
export function checkFormat(value: string, format: string): boolean {
  switch (format) {
    case 'date-time':
      return (
        /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i.test(value) &&
        !Number.isNaN(Date.parse(value))
      )
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(value)
    case 'duration':
      return /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)
    case 'ipv4':
      return isIPv4(value)
    case 'ipv6':
      return isIPv6(value)
    case 'uuid':
      return /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value)
    case 'byte':
      return /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0
    default:
      return true
  }
}
