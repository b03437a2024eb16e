import { type Backend, Origin } from '../../proto/gen/route_table.ts'
import { speechOf } from './app-protocols.ts'
import { endpointsOf } from './endpoints.ts'
import { type Finding, warning } from './finding.ts'
import { type Kept, keep } from './kept.ts'
import { isSameList } from './merge.ts'
import { originOf } from './origins.ts'
import type { Source } from './source.ts'
import type { Tally } from './tally.ts'

export interface BackendState {
  readonly backend: Backend
  readonly findings: readonly Finding[]
}

/** A Service port that a reference resolved to (see `resolve`), with its endpoints. `service` is "namespace/name". */
function backendState(key: string, byDefault: Origin, source: Source): BackendState {
  const at = key.lastIndexOf(':')
  const [name, number] = [key.slice(0, at), Number(key.slice(at + 1))]
  const service = source.look('Service', name)
  const port = service?.spec.ports.find((port) => port.port === number && port.protocol === 'TCP')
  if (service === undefined || port === undefined) throw new Error(`backend ${key} was resolved, and is gone`)
  const reached = originOf(service, byDefault)
  if ('message' in reached) throw new Error(`backend ${key} was resolved, and has no origin`)
  const endpoints = endpointsOf(port, source.look('slices', name) ?? [])
  const { origin, address } = reached
  const backend = {
    key,
    protocol: speechOf(port.appProtocol).protocol,
    origin,
    originAddress: address,
    endpoints,
    tls: undefined,
  }
  if (endpoints.length > 0 || origin !== Origin.CONNECTOR) return { backend, findings: [] }
  const message = `port ${number} has no ready endpoint, so requests get a 503; check its EndpointSlices: label kubernetes.io/service-name, a port named ${JSON.stringify(port.name ?? '')}, conditions.ready`
  return {
    backend,
    findings: [warning(service, ['spec', 'ports', service.spec.ports.indexOf(port)], 'NoEndpoints', message)],
  }
}

/** The backends of a Gateway, in the order of their tally. */
export interface GatewayBackends {
  readonly tally: Tally
  readonly origin: Origin
  readonly states: readonly Kept<BackendState>[]
  readonly backends: readonly Backend[]
}

/** The same again when nothing changed; else those that did not change are the same objects. */
export function gatewayBackends(
  tally: Tally,
  origin: Origin,
  source: Source,
  earlier: GatewayBackends | undefined,
): GatewayBackends {
  const before = earlier?.origin === origin ? earlier : undefined
  if (before?.tally === tally && !source.news.has('Service') && !source.news.has('slices')) return before
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
