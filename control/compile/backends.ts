import { AppProtocol, type Backend, Origin } from '../../proto/gen/route_table.ts'
import { speechOf } from './app-protocols.ts'
import { backendPort } from './backend-key.ts'
import { policyOf } from './backend-tls.ts'
import { endpointsOf, sliceFindings } from './endpoints.ts'
import { type Finding, warning } from './finding.ts'
import { type Kept, keep } from './kept.ts'
import { isSameList } from './merge.ts'
import { type DefaultOrigin, originOf } from './origins.ts'
import type { Source } from './source.ts'
import type { Tally } from './tally.ts'

export interface BackendState {
  readonly backend: Backend
  readonly findings: readonly Finding[]
}

/** A Service port that a reference resolved to (see `resolve`), with its endpoints. */
function backendState(key: string, byDefault: DefaultOrigin, source: Source): BackendState {
  const { service: name, port: number, kind } = backendPort(key)
  const transport = kind === 'udp' ? 'UDP' : 'TCP'
  const service = source.look('Service', name)
  const port = service?.spec.ports.find((port) => port.port === number && port.protocol === transport)
  if (service === undefined || port === undefined) throw new Error(`backend ${key} was resolved, and is gone`)
  const reached = originOf(service, byDefault)
  if ('message' in reached) throw new Error(`backend ${key} was resolved, and has no origin`)
  const { origin, address } = reached
  const policy = kind === 'udp' ? undefined : policyOf(source.look('backendTls', name), port.name ?? '')
  if (policy !== undefined && policy.tls === undefined) throw new Error(`backend ${key} was resolved, and has no CA`)
  const slices = source.look('slices', name) ?? []
  const endpoints = endpointsOf(port, slices)
  const findings = slices.flatMap(sliceFindings)
  const protocol = kind === 'grpc' ? AppProtocol.H2C : speechOf(port.appProtocol).protocol
  const backend = { key, protocol, origin, originAddress: address, endpoints, tls: policy?.tls }
  if (endpoints.length > 0 || origin !== Origin.CONNECTOR) return { backend, findings }
  const message = `port ${number} has no ready endpoint, so requests get a 503 and connections end; check its EndpointSlices: label kubernetes.io/service-name, a port named ${JSON.stringify(port.name ?? '')}, conditions.ready`
  const path = ['spec', 'ports', service.spec.ports.indexOf(port)]
  return { backend, findings: [...findings, warning(service, path, 'NoEndpoints', message)] }
}

/** The backends of a Gateway, in the order of their tally. */
export interface GatewayBackends {
  readonly tally: Tally
  readonly origin: DefaultOrigin
  readonly states: readonly Kept<BackendState>[]
  readonly backends: readonly Backend[]
}

/** What backends are made of. */
const topics = ['Service', 'slices', 'backendTls'] as const

/** The same again when nothing changed; else those that did not change are the same objects. */
export function gatewayBackends(
  tally: Tally,
  origin: DefaultOrigin,
  source: Source,
  earlier: GatewayBackends | undefined,
): GatewayBackends {
  const before = earlier?.origin === origin ? earlier : undefined
  if (before?.tally === tally && !topics.some((topic) => source.news.has(topic))) return before
  let at = 0
  const states = tally.map(({ name }) => {
    // Both tallies are in alphabetical order.
    while (before !== undefined && (before.tally[at]?.name ?? name) < name) at++
    const known = before?.tally[at]?.name === name ? before.states[at] : undefined
    return keep(known, source, (source) => backendState(name, origin, source))
  })
  if (before !== undefined && isSameList(states, before.states)) return { ...before, tally }
  return { tally, origin, states, backends: states.map(({ value }) => value.backend) }
}
