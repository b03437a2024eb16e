import type { Service } from '../../kube/core/service.ts'
import { preciseHostname } from '../../kube/fields.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { Origin } from '../../proto/gen/route_table.ts'
import { originNames, originWords } from './parameters.ts'

// How a Service is reached. By the Worker as the annotations of the Service say, else as the Gateway's parameters do. The
// stand-alone data plane goes to the endpoints itself, as the connector does.

/** The Worker's way to Services that do not say it; undefined for the stand-alone data plane. */
export type DefaultOrigin = Origin | undefined

const originKey = 'landfall.dev/origin'
const addressKey = 'landfall.dev/origin-address'

export interface OriginOf {
  readonly origin: Origin
  /** "" for the connector; a hostname for resolve-override; scheme and authority for url, perhaps with a path to begin with. */
  readonly address: string
}

export interface OriginFault {
  readonly path: FieldPath
  readonly message: string
}

/** The origin of a Service, whose annotations go before `byDefault`. */
export function originOf({ metadata: { annotations } }: Service, byDefault: DefaultOrigin): OriginOf | OriginFault {
  if (byDefault === undefined) return { origin: Origin.CONNECTOR, address: '' }
  const name = annotations[originKey]
  const address = annotations[addressKey] ?? ''
  const fault = (key: string, message: string): OriginFault => ({ path: ['metadata', 'annotations', key], message })
  const origin = name === undefined ? byDefault : Object.hasOwn(originNames, name) ? originNames[name] : undefined
  switch (origin) {
    case Origin.CONNECTOR:
      return address === ''
        ? { origin, address }
        : fault(
            addressKey,
            `is of no use to the connector, which is told the endpoints; remove it, or set ${originKey} to resolve-override or url`,
          )
    case Origin.RESOLVE_OVERRIDE:
      return preciseHostname.safeParse(address).success
        ? { origin, address }
        : fault(
            addressKey,
            `${shown(address)}; resolve-override needs a hostname of the same zone, such as origin.example.com`,
          )
    case Origin.URL:
      return isOriginUrl(address)
        ? { origin, address: address.replace(/\/$/, '') }
        : fault(addressKey, `${shown(address)}; url needs scheme and host, such as https://origin.example.com`)
    default:
      return fault(originKey, `${JSON.stringify(name)} is no way to an origin; write ${originWords}`)
  }
}

const shown = (address: string): string => (address === '' ? 'is missing' : `${JSON.stringify(address)} does not fit`)

function isOriginUrl(text: string): boolean {
  const url = URL.parse(text)
  return (
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '' &&
    !text.endsWith('?') &&
    !text.endsWith('#')
  )
}
