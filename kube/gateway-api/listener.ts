import * as z from 'zod'
import { group, hostname, kind, labelSelector, list, port, sectionName, text } from '../fields.ts'
import { rule, unique } from '../rule.ts'
import { secretReference } from './references.ts'
import { gatewayGroup } from './versions.ts'

/** Settings that are an implementation's own: ListenerTLSConfig.options, BackendTLSPolicySpec.options. */
export const tlsOptions = z.record(z.string(), text('an option', 4096, undefined, 0)).check(
  rule((value, report) => {
    const count = Object.keys(value).length
    if (count > 16) report([], `has ${count} options; at most 16 fit`)
  }),
)

const listenerTls = z
  .object({
    mode: z.enum(['Terminate', 'Passthrough']).default('Terminate'),
    certificateRefs: list(secretReference, 64).exactOptional(),
    options: tlsOptions.exactOptional(),
  })
  .check(
    rule(({ mode, certificateRefs = [], options = {} }, report) => {
      if (mode === 'Terminate' && certificateRefs.length === 0 && Object.keys(options).length === 0) {
        report(['certificateRefs'], 'is missing; mode Terminate needs a Secret with the certificate (or options)')
      }
    }),
  )
export type ListenerTls = z.output<typeof listenerTls>

/** AllowedRoutes. */
export const allowedRoutes = z.object({
  namespaces: z
    .object({
      from: z.enum(['All', 'Selector', 'Same']).default('Same'),
      selector: labelSelector.exactOptional(),
    })
    .prefault({}),
  kinds: list(z.object({ group: group.default(gatewayGroup), kind }), 8).exactOptional(),
})
export type AllowedRoutes = z.output<typeof allowedRoutes>

const listener = z.object({
  name: sectionName,
  hostname: hostname.exactOptional(),
  port,
  protocol: text(
    'HTTP, HTTPS, TLS, TCP, UDP, or a protocol with a domain such as example.com/proto',
    255,
    /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$/,
  ),
  tls: listenerTls.exactOptional(),
  allowedRoutes: allowedRoutes.prefault({}),
})

/** Listener of a Gateway and ListenerEntry of a ListenerSet, which have the same fields. */
export type Listener = z.output<typeof listener>

const noTls = new Set(['HTTP', 'TCP', 'UDP'])
const noHostname = new Set(['TCP', 'UDP'])

export const listeners = list(listener, 64, 1)
  .check(unique(({ name }) => name, ['name']))
  .check(
    rule((all, report) => {
      const places = new Map<string, number>()
      all.forEach(({ protocol, port, hostname, tls }, index) => {
        if (tls !== undefined && noTls.has(protocol)) {
          report(
            [index, 'tls'],
            `protocol ${protocol} takes no tls; remove it, or write protocol ${protocol === 'HTTP' ? 'HTTPS' : 'TLS'}`,
          )
        }
        if (tls === undefined && protocol === 'TLS') {
          report([index, 'tls'], 'is missing; protocol TLS needs tls with mode Terminate or Passthrough')
        }
        if (tls?.mode === 'Passthrough' && protocol === 'HTTPS') {
          report([index, 'tls', 'mode'], 'protocol HTTPS takes mode Terminate only; for Passthrough write protocol TLS')
        }
        if (hostname !== undefined && noHostname.has(protocol)) {
          report([index, 'hostname'], `protocol ${protocol} carries no hostname; remove it`)
        }
        const place = `${port} ${protocol} ${hostname ?? ''}`
        const earlier = places.get(place)
        if (earlier === undefined) places.set(place, index)
        else
          report(
            [index],
            `has the port, protocol and hostname of listeners[${earlier}]; change one of the three, or remove it`,
          )
      })
    }),
  )
