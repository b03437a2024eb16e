import type { Service, ServicePort } from '../../kube/core/service.ts'
import type { BackendObjectReference } from '../../kube/gateway-api/references.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { AppProtocol, Origin } from '../../proto/gen/route_table.ts'
import { nameOf } from '../snapshot-index.ts'
import { speechOf } from './app-protocols.ts'
import { type BackendPort, backendKey } from './backend-key.ts'
import { policyOf } from './backend-tls.ts'
import { error, type Finding, few, warning } from './finding.ts'
import { missingGrant, permitted } from './grants.ts'
import { type DefaultOrigin, originOf } from './origins.ts'
import type { Route } from './routes.ts'
import type { Source } from './source.ts'

/** What a reference to a backend comes to. */
export interface Resolution {
  /** Backend.key, or "" with the reason in `invalid`. */
  readonly backend: string
  readonly invalid: string
  /** "namespace/name" of the Service, where there is one that the route may use. */
  readonly service: string | undefined
  readonly findings: readonly Finding[]
}

/** BackendObjectReference of a route. */
export function resolve(
  reference: BackendObjectReference,
  route: Route,
  path: FieldPath,
  origin: DefaultOrigin,
  source: Source,
): Resolution {
  const { group, kind, name, namespace = route.metadata.namespace } = reference
  const refuse = (field: string, reason: Finding['reason'], message: string, service?: string): Resolution => ({
    backend: '',
    invalid: reason,
    service,
    findings: [error(route, [...path, field], 'ResolvedRefs', reason, message)],
  })
  if (group !== '' || kind !== 'Service') {
    const shown = group === '' ? kind : `${kind} of group ${group}`
    return refuse('kind', 'InvalidKind', `a ${shown} cannot be a backend; name a Service, with group ""`)
  }
  const from = { kind: route.kind, namespace: route.metadata.namespace }
  const referent = { group, kind, namespace, name }
  if (!permitted(from, referent, source)) return refuse('namespace', 'RefNotPermitted', missingGrant(from, referent))
  const key = nameOf(namespace, name)
  const service = source.look('Service', key)
  if (service === undefined) {
    return refuse('name', 'BackendNotFound', `there is no Service ${key}; create it, or correct the name or namespace`)
  }
  if (service.spec.type === 'ExternalName') {
    const message = `Service ${key} is of type ExternalName, which could lead anywhere (CVE-2021-25740); use a Service without a selector and an EndpointSlice`
    return refuse('name', 'InvalidKind', message, key)
  }
  const found = portOf(service, reference.port, route)
  if ('message' in found) return refuse('port', found.reason, found.message, key)
  return use(service, key, found, route, path, origin, source)
}

interface PortFault {
  readonly reason: 'BackendNotFound' | 'UnsupportedProtocol'
  readonly message: string
}

function portOf(service: Service, port: number | undefined, route: Route): ServicePort | PortFault {
  const { ports } = service.spec
  const name = nameOf(service.metadata.namespace, service.metadata.name)
  const candidates = ports.filter((candidate) => candidate.port === port)
  const protocol = route.kind === 'UDPRoute' ? 'UDP' : 'TCP'
  const found = candidates.find((candidate) => candidate.protocol === protocol)
  if (found !== undefined) return found
  const [other] = candidates
  if (other !== undefined) {
    const message = `port ${port} of Service ${name} is for ${other.protocol}, and ${route.kind}s need ${protocol}`
    return { reason: 'UnsupportedProtocol', message }
  }
  const all = few(ports.map((candidate) => candidate.port))
  const message = `Service ${name} has no port ${port}; ${all === '' ? 'it has none' : `it has ${all}`}`
  return { reason: 'BackendNotFound', message }
}

/** A reference that leads to a port, which still may be one that cannot be spoken to. */
function use(
  service: Service,
  key: string,
  port: ServicePort,
  route: Route,
  path: FieldPath,
  origin: DefaultOrigin,
  source: Source,
): Resolution {
  const refuse = (reason: Finding['reason'], ...findings: Finding[]): Resolution => ({
    backend: '',
    invalid: reason,
    service: key,
    findings,
  })
  const policy = port.protocol === 'UDP' ? undefined : policyOf(source.look('backendTls', key), port.name ?? '')
  // The policy's own status says what is wrong.
  if (policy !== undefined && policy.tls === undefined) return refuse('NoValidCACertificate')
  const findings: Finding[] = []
  let kind: BackendPort['kind'] = route.kind === 'UDPRoute' ? 'udp' : ''
  if (route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute') {
    const speech = speechOf(port.appProtocol)
    if (speech.tls && policy === undefined) {
      const message = `port ${port.port} of Service ${key} has appProtocol ${port.appProtocol}, which needs a BackendTLSPolicy that says which certificate to trust; create one for the Service`
      return refuse(
        'UnsupportedProtocol',
        error(route, [...path, 'port'], 'ResolvedRefs', 'UnsupportedProtocol', message),
      )
    }
    if (!speech.known) {
      const taken = route.kind === 'GRPCRoute' ? 'HTTP/2' : 'HTTP/1.1'
      const message = `appProtocol ${port.appProtocol} is not known, and taken for ${taken}; write kubernetes.io/h2c, kubernetes.io/ws or nothing`
      findings.push(
        warning(service, ['spec', 'ports', service.spec.ports.indexOf(port), 'appProtocol'], 'UnknownValue', message),
      )
    }
    if (route.kind === 'GRPCRoute' && speech.protocol !== AppProtocol.H2C) kind = 'grpc'
  }
  const reached = originOf(service, origin)
  if ('message' in reached) {
    const message = `Service ${key} cannot be reached by the Worker: its annotation ${reached.path.at(-1)} ${reached.message}`
    return refuse(
      'InvalidOrigin',
      error(route, [...path, 'name'], 'ResolvedRefs', 'InvalidOrigin', message),
      warning(service, reached.path, 'InvalidOrigin', reached.message),
    )
  }
  if (policy !== undefined && reached.origin !== Origin.CONNECTOR) {
    const message = `BackendTLSPolicy ${policy.policy.metadata.name} says which certificate Service ${key} must show, and only the connector can check it; set landfall.dev/origin of the Service to connector, or remove the policy`
    return refuse(
      'UnsupportedProtocol',
      error(route, [...path, 'name'], 'ResolvedRefs', 'UnsupportedProtocol', message),
    )
  }
  return { backend: backendKey({ service: key, port: port.port, kind }), invalid: '', service: key, findings }
}
