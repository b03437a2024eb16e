import * as z from 'zod'
import {
  domainPrefixed,
  isIPAddress,
  labelSelector,
  labelValueFault,
  list,
  objectName,
  port,
  qualifiedNamePattern,
  text,
  wildcardHostPattern,
} from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { type Report, rule, unique } from '../rule.ts'
import { listeners } from './listener.ts'
import { localObjectReference, objectReference, secretReference } from './references.ts'
import { versions } from './versions.ts'

/** GatewaySpecAddress. Without a value it asks for an automatic one. */
const address = z
  .object({
    type: text(
      'IPAddress, Hostname, NamedAddress, or a type with a domain such as example.com/type',
      253,
      // The alternatives are not all anchored, in the API's definition too.
      new RegExp(`^Hostname|IPAddress|NamedAddress|${domainPrefixed}$`),
    ).default('IPAddress'),
    value: text('an address', 253, undefined, 0).exactOptional(),
  })
  .check(
    rule(({ type, value }, report) => {
      if (value === undefined) return
      if (type === 'IPAddress' && !isIPAddress(value)) {
        report(['value'], `${JSON.stringify(value)} is no IPv4 or IPv6 address; write one, or type: Hostname`)
      }
      if (type === 'Hostname' && !wildcardHostPattern.test(value)) {
        report(['value'], `${JSON.stringify(value)} is no hostname; write lower-case labels joined by "."`)
      }
    }),
  )
export type GatewayAddress = z.output<typeof address>

const addresses = list(address, 16).check(
  unique(({ type, value }) => (type === 'IPAddress' || type === 'Hostname' ? value && `${type} ${value}` : undefined)),
)

function infrastructureKeys(value: Readonly<Record<string, string>>, max: number, report: Report): void {
  const keys = Object.keys(value)
  if (keys.length > max) report([], `has ${keys.length} entries; at most ${max} fit`)
  for (const key of keys) {
    const prefix = key.split('/', 1)[0] ?? ''
    if (prefix.length > 252) report([key], 'the part of the key before "/" has more than 252 characters')
    else if (!qualifiedNamePattern.test(key)) {
      report(
        [key],
        'is no valid key; write up to 63 letters, digits, "-", "_" or ".", after an optional "example.com/"',
      )
    }
  }
}

/** GatewayInfrastructure. */
const infrastructure = z.object({
  labels: z
    .record(z.string(), z.string())
    .check(
      rule((value, report) => {
        infrastructureKeys(value, 8, report)
        for (const key in value) {
          const fault = labelValueFault(value[key] ?? '')
          if (fault !== undefined) report([key], fault)
        }
      }),
    )
    .exactOptional(),
  annotations: z
    .record(z.string(), text('a value', 4096, undefined, 0))
    .check(rule((value, report) => infrastructureKeys(value, 16, report)))
    .exactOptional(),
  parametersRef: localObjectReference.exactOptional(),
})

/** TLSConfig: what a client's certificate must be signed by. */
const clientTls = z.object({
  validation: z
    .object({
      caCertificateRefs: list(objectReference, 16, 1),
      mode: z.enum(['AllowValidOnly', 'AllowInsecureFallback']).default('AllowValidOnly'),
    })
    .exactOptional(),
})
export type ClientTls = z.output<typeof clientTls>

/** GatewayTLSConfig. */
const gatewayTls = z.object({
  backend: z.object({ clientCertificateRef: secretReference.exactOptional() }).exactOptional(),
  frontend: z
    .object({
      default: clientTls,
      perPort: list(z.object({ port, tls: clientTls }), 64)
        .check(unique(({ port }) => port, ['port']))
        .exactOptional(),
    })
    .exactOptional(),
})

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** IP addresses of GatewayStatus.addresses. Whatever else a status says is for its writer to mend. */
function heldAddresses(status: unknown): { readonly addresses: readonly string[] } {
  const addresses: unknown = isObject(status) && 'addresses' in status ? status.addresses : undefined
  const listed: readonly unknown[] = Array.isArray(addresses) ? addresses.slice(0, 16) : []
  return {
    addresses: listed.flatMap((address) => {
      const value = isObject(address) && 'value' in address ? address.value : undefined
      return typeof value === 'string' && isIPAddress(value) ? [value] : []
    }),
  }
}

export const gateway = z.object({
  apiVersion: versions('v1', 'v1beta1'),
  kind: z.literal('Gateway'),
  metadata: objectMeta,
  spec: z.object({
    gatewayClassName: objectName,
    listeners,
    addresses: addresses.exactOptional(),
    infrastructure: infrastructure.exactOptional(),
    allowedListeners: z
      .object({
        namespaces: z
          .object({
            from: z.enum(['All', 'Selector', 'Same', 'None']).default('None'),
            selector: labelSelector.exactOptional(),
          })
          .prefault({}),
      })
      .exactOptional(),
    tls: gatewayTls.exactOptional(),
    defaultScope: z.enum(['All', 'None']).exactOptional(),
  }),
  status: z.unknown().transform(heldAddresses).exactOptional(),
})
export type Gateway = z.output<typeof gateway>
