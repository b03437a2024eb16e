import { type Backend, Origin } from '../../proto/gen/route_table.ts'
import { speechOf } from './app-protocols.ts'
import { endpointsOf } from './endpoints.ts'
import { type Finding, warning } from './finding.ts'
import { originOf } from './origins.ts'
import type { Source } from './source.ts'

export interface BackendState {
  readonly backend: Backend
  readonly findings: readonly Finding[]
}

/** A Service port that a reference resolved to (see `resolve`), with its endpoints. `service` is "namespace/name". */
export function backendState(key: string, byDefault: Origin, source: Source): BackendState {
  const at = key.lastIndexOf(':')
  const [name, number] = [key.slice(0, at), Number(key.slice(at + 1))]
  const service = source.look('Service', name)
  const port = service?.spec.ports.find((port) => port.port === number && port.protocol === 'TCP')
  if (service === undefined || port === undefined) throw new Error(`backend ${key} was resolved, and is gone`)
  const reached = originOf(service, byDefault)
  if ('message' in reached) throw new Error(`backend ${key} was resolved, and has no origin`)
  const endpoints = endpointsOf(port, source.look('slices', name) ?? [])
  const { origin, address } = reached
  const backend = { key, protocol: speechOf(port.appProtocol).protocol, origin, originAddress: address, endpoints }
  if (endpoints.length > 0 || origin !== Origin.CONNECTOR) return { backend, findings: [] }
  const message = `port ${number} has no ready endpoint, so requests get a 503; check its EndpointSlices: label kubernetes.io/service-name, a port named ${JSON.stringify(port.name ?? '')}, conditions.ready`
  return { backend, findings: [warning(service, ['spec', 'ports', service.spec.ports.indexOf(port)], 'NoEndpoints', message)] }
}
