import * as z from 'zod'
import { integer, labelSelector, list, text } from '../fields.ts'
import { clusterObjectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'
import { ciliumVersions, landfallVersions } from './versions.ts'

/** Decimal numbers up to `highest`, between colons. */
const areNumbers = (value: string, highest: number): boolean =>
  value.split(':').every((part) => /^(0|[1-9]\d{0,9})$/.test(part) && Number(part) <= highest)

export const standardCommunity = text('a community such as 65000:100, or one number of 32 bits', 11).check(
  rule((value, report) => {
    const parts = value.split(':').length
    if (parts > 2 || !areNumbers(value, parts === 2 ? 0xffff : 0xffffffff))
      report([], `${JSON.stringify(value)} is no community; write one such as 65000:100, or one number of 32 bits`)
  }),
)

export const largeCommunity = text('a large community such as 65000:1:2', 32).check(
  rule((value, report) => {
    if (value.split(':').length !== 3 || !areNumbers(value, 0xffffffff))
      report([], `${JSON.stringify(value)} is no large community; write one such as 65000:1:2`)
  }),
)

/** RFC 1997 and others; IANA "BGP Well-known Communities". */
const wellKnownCommunity = z.enum([
  'internet',
  'planned-shut',
  'accept-own',
  'route-filter-translated-v4',
  'route-filter-v4',
  'route-filter-translated-v6',
  'route-filter-v6',
  'llgr-stale',
  'no-llgr',
  'blackhole',
  'no-export',
  'no-advertise',
  'no-export-subconfed',
  'no-peer',
])

export type WellKnownCommunity = z.output<typeof wellKnownCommunity>

const attributes = z.object({
  communities: z
    .object({
      standard: list(standardCommunity, 1000).prefault([]),
      wellKnown: list(wellKnownCommunity, 100).prefault([]),
      large: list(largeCommunity, 1000).prefault([]),
    })
    .prefault({}),
  /** Only inside the AS. */
  localPreference: integer('a preference from 0 to 4294967295', 0, 4_294_967_295).exactOptional(),
})

const service = z.object({
  addresses: list(z.enum(['LoadBalancerIP', 'ClusterIP', 'ExternalIP']), 3, 1),
  aggregationLengthIPv4: integer('a length from 0 to 31', 0, 31).exactOptional(),
  aggregationLengthIPv6: integer('a length from 0 to 127', 0, 127).exactOptional(),
})

const advertisementFields = {
  advertisementType: z.enum(['PodCIDR', 'CiliumPodIPPool', 'Service', 'Interface']),
  service: service.exactOptional(),
  interface: z.object({ name: text('the name of an interface', 255) }).exactOptional(),
  /** Of labels of Services; unset: none. */
  selector: labelSelector.exactOptional(),
}

const fitting = rule<{ readonly advertisementType: string; readonly service?: unknown; readonly interface?: unknown }>(
  (advertisement, report) => {
    const { advertisementType } = advertisement
    for (const [field, type] of [
      ['service', 'Service'],
      ['interface', 'Interface'],
    ] as const) {
      const isThere = advertisement[field] !== undefined
      if (isThere !== (advertisementType === type))
        report(
          [field],
          isThere ? `is only for advertisementType ${type}` : `is missing; advertisementType ${type} needs it`,
        )
    }
  },
)

const ciliumAdvertisement = z.object({ ...advertisementFields, attributes: attributes.prefault({}) }).check(fitting)

export const ciliumBgpAdvertisement = z.object({
  apiVersion: ciliumVersions,
  kind: z.literal('CiliumBGPAdvertisement'),
  metadata: clusterObjectMeta,
  spec: z.object({ advertisements: list(ciliumAdvertisement, 1000) }),
})
export type CiliumBGPAdvertisement = z.output<typeof ciliumBgpAdvertisement>

const moreAttributes = attributes.extend({
  /** RFC 4271 section 5.1.4. */
  med: integer('a metric from 0 to 4294967295', 0, 4_294_967_295).exactOptional(),
  /** How often the own AS number stands in the path beyond the once. */
  prepend: integer('a number from 0 to 16', 0, 16).default(0),
})

const landfallAdvertisement = z
  .object({
    ...advertisementFields,
    advertisementType: z.enum(['PodCIDR', 'Service', 'Interface', 'Gateway']),
    attributes: moreAttributes.prefault({}),
  })
  .check(fitting)

export const bgpAdvertisement = z.object({
  apiVersion: landfallVersions,
  kind: z.literal('BGPAdvertisement'),
  metadata: clusterObjectMeta,
  spec: z.object({ advertisements: list(landfallAdvertisement, 1000) }),
})
export type BGPAdvertisement = z.output<typeof bgpAdvertisement>
