import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { Listener } from '../../kube/gateway-api/listener.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { gatewayGroup } from '../../kube/gateway-api/versions.ts'
import type { FieldPath } from '../../kube/rule.ts'
import type { Tls } from '../../proto/gen/route_table.ts'
import { nameOf } from '../snapshot-index.ts'
import type { ClientValidation, PortValidation } from './client-validation.ts'
import { type ControllerName, isEdge, isProtocol, lacks, type ProtocolName, portsOf, protocols } from './features.ts'
import { error, type Finding, warning } from './finding.ts'
import type { RouteKind } from './routes.ts'
import { allReferred, type CertificateChecks, type ReferenceFault } from './secrets.ts'
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
  /** Of a listener of protocol HTTPS or TLS, with what can be used of its references. */
  readonly tls: Tls | undefined
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
    return { owner, index, listener, protocol: undefined, kinds: [], tls: undefined, findings: [finding] }
  }
  const { kinds, findings: wrongKinds } = supportedKinds(owner, listener, path, protocol)
  const { tls, findings: wrongTls } = listenerTls(
    owner,
    listener,
    path,
    protocol,
    controller,
    validation,
    source,
    checks,
  )
  const findings = [...wrongKinds, ...wrongTls]
  for (const option of Object.keys(listener.tls?.options ?? {})) {
    const message = 'is no option that Landfall knows, and changes nothing; remove it'
    findings.push(warning(owner, [...path, 'tls', 'options', option], 'UnknownValue', message))
  }
  const ports = portsOf(controller, protocol)
  if (ports !== undefined && !ports.includes(listener.port)) {
    const message = `Cloudflare does not listen on port ${listener.port} for ${protocol}, so it is reached by "landfall dev" only; Cloudflare has ${ports.join(', ')}`
    findings.push(warning(owner, [...path, 'port'], 'PortUnavailable', message))
  }
  return { owner, index, listener, protocol, kinds, tls, findings }
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

/** ListenerTLSConfig, and GatewayTLSConfig.frontend for a listener of protocol HTTPS. */
function listenerTls(
  owner: Gateway | ListenerSet,
  listener: Listener,
  path: FieldPath,
  protocol: ProtocolName,
  controller: ControllerName,
  validation: ClientValidation,
  source: Source,
  checks: CertificateChecks,
): Pick<CheckedListener, 'tls' | 'findings'> {
  if (protocol !== 'HTTPS' && protocol !== 'TLS') return { tls: undefined, findings: [] }
  if (listener.tls?.mode === 'Passthrough') {
    return { tls: { passthrough: true, certificates: [], clients: undefined }, findings: [] }
  }
  const own = certificates(owner, listener, path, controller, source, checks)
  const clients = protocol === 'HTTPS' ? validatedClients(owner, listener, path, controller, validation) : undefined
  return {
    tls: { passthrough: false, certificates: own.names, clients: clients?.clients },
    findings: [...own.findings, ...(clients?.findings ?? [])],
  }
}

/** ListenerTLSConfig.certificateRefs: the good ones, each once, as Tls.certificates. Cloudflare needs none, because it shows
 *  certificates of its own. */
function certificates(
  owner: Gateway | ListenerSet,
  { tls }: Listener,
  path: FieldPath,
  controller: ControllerName,
  source: Source,
  checks: CertificateChecks,
): { readonly names: readonly string[]; readonly findings: readonly Finding[] } {
  const refs = [...path, 'tls', 'certificateRefs']
  const from = { kind: owner.kind, namespace: owner.metadata.namespace }
  const references = tls?.certificateRefs ?? []
  const { objects, findings } = allReferred(
    references,
    'Secret',
    from,
    source,
    checks,
    ({ why, field, message }, index) =>
      error(owner, [...refs, index, field], 'ResolvedRefs', certificateReasons[why], message),
  )
  const names = [...new Set(objects.map(({ metadata }) => nameOf(metadata.namespace, metadata.name)))]
  if (names.length > 0 || isEdge(controller)) return { names, findings }
  const missing = 'names no certificate; name a Secret of type kubernetes.io/tls'
  const useless = 'no certificate can be used, so no client could connect'
  return {
    names,
    findings: [
      ...findings,
      ...(references.length === 0 ? [error(owner, refs, 'ResolvedRefs', 'InvalidCertificateRef', missing)] : []),
      error(owner, refs, 'Programmed', 'Invalid', useless),
    ],
  }
}

/** GatewayTLSConfig.frontend, for one HTTPS listener; undefined when its clients need no certificate. */
function validatedClients(
  owner: Gateway | ListenerSet,
  { port }: Listener,
  path: FieldPath,
  controller: ControllerName,
  validation: ClientValidation,
): PortValidation | undefined {
  const asked = validation.ofPort(port)
  const why = lacks(controller, 'GatewayFrontendClientCertificateValidation')
  if (asked === undefined || why === undefined) return asked
  // To serve it without asking would let in everyone.
  const message = `${controller} cannot validate client certificates: ${why}; remove spec.tls.frontend of the Gateway, or serve it stand-alone`
  return { ...asked, findings: [error(owner, path, 'Accepted', 'UnsupportedValue', message)] }
}
