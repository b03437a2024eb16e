import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { Listener } from '../../kube/gateway-api/listener.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { gatewayGroup } from '../../kube/gateway-api/versions.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { type ClientValidation, clientValidation } from './client-validation.ts'
import { type ControllerName, isProtocol, lacks, portsOf, type ProtocolName, protocols } from './features.ts'
import { error, type Finding, turns, warning } from './finding.ts'
import type { GatewayState } from './gateways.ts'
import { conflicts, overlapping } from './listener-conflicts.ts'
import { allowance, listenerSetsOf } from './listener-sets.ts'
import type { RouteKind } from './routes.ts'
import { type CertificateChecks, type ReferenceFault, referenceFault } from './secrets.ts'
import type { Source } from './source.ts'

/** Bound on the listeners of a Gateway and its ListenerSets: each port is a socket, each hostname a certificate. */
export const maxListeners = 4096

/** A listener of a Gateway or ListenerSet. */
export interface ListenerState {
  readonly owner: Gateway | ListenerSet
  /** Place in spec.listeners of the owner. */
  readonly index: number
  readonly listener: Listener
  /** The kinds of routes that it takes: ListenerStatus.supportedKinds. */
  readonly kinds: readonly RouteKind[]
  readonly findings: readonly Finding[]
}

/** A ListenerSet that refers to a Gateway of ours. */
export interface SetState {
  readonly set: ListenerSet
  /** Empty when the Gateway does not take the set. */
  readonly listeners: readonly ListenerState[]
  readonly findings: readonly Finding[]
}

/** A Gateway with its listeners and ListenerSets. */
export interface GatewayListeners {
  readonly state: GatewayState
  readonly listeners: readonly ListenerState[]
  readonly sets: readonly SetState[]
  /** Of the Gateway, those of `state` among them. */
  readonly findings: readonly Finding[]
}

/** Syntactically and semantically valid, without a conflict. */
export const isAccepted = ({ findings }: ListenerState): boolean => !turns(findings, 'Accepted', 'Conflicted')

/** Accepted, and able to take connections. */
export const isProgrammed = ({ findings }: ListenerState): boolean => !turns(findings, 'Accepted', 'Conflicted', 'Programmed')

/** Whether a Gateway is accepted: nothing of its own is wrong, and one listener at least is good. */
export const isAcceptedGateway = ({ findings, listeners }: Pick<GatewayListeners, 'findings' | 'listeners'>): boolean =>
  !turns(findings, 'Accepted') && listeners.some(isAccepted)

/** The listeners of one Gateway, and of its ListenerSets by their precedence. */
export function gatewayListeners(state: GatewayState, source: Source, checks: CertificateChecks): GatewayListeners {
  const { gateway, controller } = state
  const validation = clientValidation(gateway, source, checks)
  const findings = [...state.findings, ...validation.findings, ...clientCertificate(gateway, source, checks)]
  const check = (owner: Gateway | ListenerSet): Draft[] =>
    owner.spec.listeners.map((listener, index) => draft(owner, listener, index, controller, validation, source, checks))

  const own = check(gateway)
  const sets = listenerSetsOf(gateway, source).map((set) => {
    const refused = allowance(gateway, set, source)
    return { set, refused, drafts: refused.length === 0 ? check(set) : [] }
  })
  limit(own.length, sets.flatMap(({ drafts }) => drafts))
  markConflicts([own, ...sets.map(({ drafts }) => drafts)])

  const listeners = own.map(finished)
  const accepted = isAcceptedGateway({ findings, listeners })
  return {
    state,
    listeners,
    sets: sets.map(({ set, refused, drafts }) => ({
      set,
      listeners: drafts.map(finished),
      findings: refused.length > 0 || accepted ? refused : [parentNotAccepted(set, gateway)],
    })),
    findings,
  }
}

/** A listener whose findings are still being gathered. */
interface Draft {
  readonly owner: Gateway | ListenerSet
  readonly index: number
  readonly listener: Listener
  /** undefined for a protocol that is not served. */
  readonly protocol: ProtocolName | undefined
  readonly kinds: readonly RouteKind[]
  readonly findings: Finding[]
}

const finished = ({ owner, index, listener, kinds, findings }: Draft): ListenerState => ({
  owner,
  index,
  listener,
  kinds,
  findings,
})

function draft(
  owner: Gateway | ListenerSet,
  listener: Listener,
  index: number,
  controller: ControllerName,
  validation: ClientValidation,
  source: Source,
  checks: CertificateChecks,
): Draft {
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
  return why === undefined ? name : { message: `protocol ${name} is not served by ${controller}: ${why}; write ${served.join(' or ')}` }
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

/** GatewayBackendTLS.clientCertificateRef. */
function clientCertificate(gateway: Gateway, source: Source, checks: CertificateChecks): readonly Finding[] {
  const reference = gateway.spec.tls?.backend?.clientCertificateRef
  if (reference === undefined) return []
  const from = { kind: 'Gateway', namespace: gateway.metadata.namespace }
  const fault = referenceFault(reference, 'Secret', from, source, checks)
  if (fault === undefined) return []
  const path = ['spec', 'tls', 'backend', 'clientCertificateRef', fault.field]
  const reason = fault.why === 'not permitted' ? 'RefNotPermitted' : 'InvalidClientCertificateRef'
  return [error(gateway, path, 'ResolvedRefs', reason, fault.message)]
}

function limit(before: number, drafts: readonly Draft[]): void {
  for (const { owner, index, findings } of drafts.slice(Math.max(0, maxListeners - before))) {
    const message = `a Gateway takes ${maxListeners} listeners with those of its ListenerSets, and older ones have taken all`
    findings.push(error(owner, ['spec', 'listeners', index], 'Accepted', 'TooManyListeners', message))
  }
}

function markConflicts(owners: readonly (readonly Draft[])[]): void {
  const contenders = owners.map((drafts) =>
    drafts.flatMap((draft) => {
      const { protocol, listener } = draft
      return protocol === undefined ? [] : [{ draft, protocol, port: listener.port, hostname: listener.hostname ?? '' }]
    }),
  )
  const found = conflicts(contenders)
  for (const [{ draft, port, protocol, hostname }, reason] of found) {
    const path = ['spec', 'listeners', draft.index]
    const message =
      reason === 'HostnameConflict'
        ? `another listener of this Gateway or its ListenerSets has port ${port} and ${hostname === '' ? 'no hostname' : `hostname ${hostname}`} too; change one of the two`
        : `another listener of this Gateway or its ListenerSets has port ${port} by a protocol that does not go with ${protocol}; change the port`
    draft.findings.push(error(draft.owner, path, 'Conflicted', reason, message))
  }
  for (const { draft, port } of overlapping(contenders.flat().filter((contender) => !found.has(contender)))) {
    const message = `the hostname overlaps with that of another listener on port ${port}, so a client may use a connection of one for the other`
    const path = ['spec', 'listeners', draft.index, 'hostname']
    draft.findings.push(warning(draft.owner, path, 'OverlappingHostnames', message, 'OverlappingTLSConfig'))
  }
}

function parentNotAccepted(set: ListenerSet, { metadata }: Gateway): Finding {
  const message = `Gateway ${metadata.namespace}/${metadata.name} is not accepted; its status says why`
  return error(set, ['spec', 'parentRef'], 'Accepted', 'ParentNotAccepted', message)
}
