import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { Listener } from '../../kube/gateway-api/listener.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { gatewayGroup } from '../../kube/gateway-api/versions.ts'
import type { FieldPath } from '../../kube/rule.ts'
import type { ClientValidation } from './client-validation.ts'
import { type ControllerName, isProtocol, lacks, type ProtocolName, portsOf, protocols } from './features.ts'
import { error, type Finding, warning } from './finding.ts'
import type { RouteKind } from './routes.ts'
import { type CertificateChecks, type ReferenceFault, referenceFault } from './secrets.ts'
import type { Source } from './source.ts'

/** A listener by itself: what it takes, and what is wrong with it whatever other listeners there are. */
export interface CheckedListener {
  readonly owner: Gateway | ListenerSet
  /** Place in spec.listeners of the owner. */
  readonly index: number
  readonly listener: Listener
  /** undefined for a protocol that is not served. */
  readonly protocol: ProtocolName | undefined
  /** The kinds of routes that it takes: ListenerStatus.supportedKinds. */
  readonly kinds: readonly RouteKind[]
  readonly findings: readonly Finding[]
}

export function checkedListener(
  owner: Gateway | ListenerSet,
  listener: Listener,
  index: number,
  controller: ControllerName,
  validation: ClientValidation,
  source: Source,
  checks: CertificateChecks,
): CheckedListener {
  const path = ['spec', 'listeners', index]
  const protocol = servedProtocol(listener.protocol, controller)
  if (typeof protocol !== 'string') {
    const finding = error(owner, [...path, 'protocol'], 'Accepted', 'UnsupportedProtocol', protocol.message)
    return { owner, index, listener, protocol: undefined, kinds: [], findings: [finding] }
  }
  const { kinds, findings: wrongKinds } = supportedKinds(owner, listener, path, protocol)
  const findings = [
    ...wrongKinds,
    ...certificates(owner, listener, path, protocol, source, checks),
    ...(protocol === 'HTTPS' ? validatedClients(owner, listener, path, controller, validation) : []),
  ]
  for (const option of Object.keys(listener.tls?.options ?? {})) {
    const message = 'is no option that Landfall knows, and changes nothing; remove it'
    findings.push(warning(owner, [...path, 'tls', 'options', option], 'UnknownValue', message))
  }
  const ports = portsOf(controller, protocol)
  if (ports !== undefined && !ports.includes(listener.port)) {
    const message = `Cloudflare does not listen on port ${listener.port} for ${protocol}, so it is reached by "landfall dev" only; Cloudflare has ${ports.join(', ')}`
    findings.push(warning(owner, [...path, 'port'], 'PortUnavailable', message))
  }
  return { owner, index, listener, protocol, kinds, findings }
}

function servedProtocol(name: string, controller: ControllerName): ProtocolName | { readonly message: string } {
  const known = Object.keys(protocols).filter(isProtocol)
  const served = known.filter((protocol) => lacks(controller, protocols[protocol].feature) === undefined)
  if (!isProtocol(name)) return { message: `protocol ${name} is not known; write ${served.join(', ')}` }
  const why = lacks(controller, protocols[name].feature)
  return why === undefined
    ? name
    : { message: `protocol ${name} is not served by ${controller}: ${why}; write ${served.join(' or ')}` }
}

/** AllowedRoutes.kinds. */
function supportedKinds(
  owner: Gateway | ListenerSet,
  { allowedRoutes }: Listener,
  path: FieldPath,
  protocol: ProtocolName,
): { readonly kinds: readonly RouteKind[]; readonly findings: readonly Finding[] } {
  const all: readonly RouteKind[] = protocols[protocol].kinds
  const asked = allowedRoutes.kinds ?? []
  if (asked.length === 0) return { kinds: all, findings: [] }
  const findings = asked.flatMap(({ group, kind }, index) => {
    if (group === gatewayGroup && all.some((name) => name === kind)) return []
    const shown = group === gatewayGroup ? kind : `${kind} of group ${group}`
    const message = `a listener of protocol ${protocol} takes no ${shown}; write ${all.join(' or ')}`
    return [error(owner, [...path, 'allowedRoutes', 'kinds', index], 'ResolvedRefs', 'InvalidRouteKinds', message)]
  })
  return {
    kinds: all.filter((name) => asked.some(({ group, kind }) => group === gatewayGroup && kind === name)),
    findings,
  }
}

const certificateReasons = {
  'not permitted': 'RefNotPermitted',
  'unknown kind': 'InvalidCertificateRef',
  'not found': 'InvalidCertificateRef',
  malformed: 'InvalidCertificateRef',
} as const satisfies Record<ReferenceFault['why'], Finding['reason']>

/** ListenerTLSConfig.certificateRefs. */
function certificates(
  owner: Gateway | ListenerSet,
  { tls }: Listener,
  path: FieldPath,
  protocol: ProtocolName,
  source: Source,
  checks: CertificateChecks,
): readonly Finding[] {
  const ends = protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode === 'Terminate')
  if (!ends) return []
  const refs = [...path, 'tls', 'certificateRefs']
  const from = { kind: owner.kind, namespace: owner.metadata.namespace }
  const all = tls?.certificateRefs ?? []
  const findings = all.flatMap((reference, index) => {
    const fault = referenceFault(reference, 'Secret', from, source, checks)
    return fault === undefined
      ? []
      : [error(owner, [...refs, index, fault.field], 'ResolvedRefs', certificateReasons[fault.why], fault.message)]
  })
  if (all.length === 0) {
    const message = 'names no certificate; name a Secret of type kubernetes.io/tls'
    findings.push(error(owner, refs, 'ResolvedRefs', 'InvalidCertificateRef', message))
  }
  if (findings.length >= all.length) {
    findings.push(error(owner, refs, 'Programmed', 'Invalid', 'no certificate can be used, so no client could connect'))
  }
  return findings
}

/** GatewayTLSConfig.frontend, for one HTTPS listener. */
function validatedClients(
  owner: Gateway | ListenerSet,
  { port }: Listener,
  path: FieldPath,
  controller: ControllerName,
  validation: ClientValidation,
): readonly Finding[] {
  if (!validation.asks(port)) return []
  const why = lacks(controller, 'GatewayFrontendClientCertificateValidation')
  if (why === undefined) return validation.ofPort(port)
  // To serve it without asking would let in everyone.
  const message = `${controller} cannot validate client certificates: ${why}; remove spec.tls.frontend of the Gateway, or serve it stand-alone`
  return [error(owner, path, 'Accepted', 'UnsupportedValue', message)]
}
