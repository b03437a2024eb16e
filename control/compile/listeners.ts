import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { ListenerSet } from '../../kube/gateway-api/listener-set.ts'
import { nameOf } from '../snapshot-index.ts'
import { clientValidation } from './client-validation.ts'
import { error, type Finding, turns, warning } from './finding.ts'
import type { GatewayState } from './gateways.ts'
import { type CheckedListener, checkedListener } from './listener.ts'
import { conflicts, overlapping } from './listener-conflicts.ts'
import { allowance, listenerSetsOf } from './listener-sets.ts'
import { type CertificateChecks, referred } from './secrets.ts'
import type { Source } from './source.ts'

/** Bound on the listeners of a Gateway and its ListenerSets: each port is a socket, each hostname a certificate. */
export const maxListeners = 4096

/** A listener of a Gateway or ListenerSet, among the others. */
export type ListenerState = Omit<CheckedListener, 'protocol'>

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
  /** As Settings.client_certificate. */
  readonly clientCertificate: string
  /** Of the Gateway, those of `state` among them. */
  readonly findings: readonly Finding[]
}

/** Syntactically and semantically valid, without a conflict. */
export const isAccepted = ({ findings }: ListenerState): boolean => !turns(findings, 'Accepted', 'Conflicted')

/** Accepted, and able to take connections. */
export const isProgrammed = ({ findings }: ListenerState): boolean =>
  !turns(findings, 'Accepted', 'Conflicted', 'Programmed')

/** Whether a Gateway is accepted: nothing of its own is wrong, and one listener at least is good. */
export const isAcceptedGateway = ({ findings, listeners }: Pick<GatewayListeners, 'findings' | 'listeners'>): boolean =>
  !turns(findings, 'Accepted') && listeners.some(isAccepted)

/** The listeners of one Gateway, and of its ListenerSets by their precedence. */
export function gatewayListeners(state: GatewayState, source: Source, checks: CertificateChecks): GatewayListeners {
  const { gateway, controller } = state
  const validation = clientValidation(gateway, source, checks)
  const client = clientCertificate(gateway, source, checks)
  const findings = [...state.findings, ...validation.findings, ...client.findings]
  const check = (owner: Gateway | ListenerSet): readonly CheckedListener[] =>
    owner.spec.listeners.map((listener, index) =>
      checkedListener(owner, listener, index, controller, validation, source, checks),
    )
  const own = check(gateway)
  const sets = listenerSetsOf(gateway, source).map((set) => {
    const refused = allowance(gateway, set, source)
    return { set, refused, checked: refused.length === 0 ? check(set) : [] }
  })
  const more = findingsAmong([own, ...sets.map(({ checked }) => checked)])
  const finish = (all: readonly CheckedListener[]): readonly ListenerState[] =>
    all.map((each) => {
      const { owner, index, listener, kinds, tls, findings } = each
      return { owner, index, listener, kinds, tls, findings: [...findings, ...(more.get(each) ?? [])] }
    })
  const listeners = finish(own)
  const accepted = isAcceptedGateway({ findings, listeners })
  return {
    state,
    listeners,
    sets: sets.map(({ set, refused, checked }) => ({
      set,
      listeners: finish(checked),
      findings: refused.length > 0 || accepted ? refused : [parentNotAccepted(set, gateway)],
    })),
    clientCertificate: client.name,
    findings,
  }
}

/** GatewayBackendTLS.clientCertificateRef. */
function clientCertificate(
  gateway: Gateway,
  source: Source,
  checks: CertificateChecks,
): { readonly name: string; readonly findings: readonly Finding[] } {
  const reference = gateway.spec.tls?.backend?.clientCertificateRef
  if (reference === undefined) return { name: '', findings: [] }
  const from = { kind: 'Gateway', namespace: gateway.metadata.namespace }
  const found = referred(reference, 'Secret', from, source, checks)
  if (!('why' in found)) return { name: nameOf(found.metadata.namespace, found.metadata.name), findings: [] }
  const path = ['spec', 'tls', 'backend', 'clientCertificateRef', found.field]
  const reason = found.why === 'not permitted' ? 'RefNotPermitted' : 'InvalidClientCertificateRef'
  return { name: '', findings: [error(gateway, path, 'ResolvedRefs', reason, found.message)] }
}

/** What is wrong with listeners because of others. `owners` are in order of precedence. */
function findingsAmong(
  owners: readonly (readonly CheckedListener[])[],
): ReadonlyMap<CheckedListener, readonly Finding[]> {
  const found = new Map<CheckedListener, Finding[]>()
  const add = (listener: CheckedListener, finding: Finding): void => {
    found.set(listener, [...(found.get(listener) ?? []), finding])
  }
  const pathOf = ({ index }: CheckedListener) => ['spec', 'listeners', index]
  for (const late of owners.flat().slice(maxListeners)) {
    const message = `a Gateway takes ${maxListeners} listeners with those of its ListenerSets, and older ones have taken all`
    add(late, error(late.owner, pathOf(late), 'Accepted', 'TooManyListeners', message))
  }
  const contenders = owners.map((all) =>
    all.flatMap((checked) => {
      const { protocol, listener } = checked
      if (protocol === undefined || found.has(checked)) return []
      return [{ checked, protocol, port: listener.port, hostname: listener.hostname ?? '' }]
    }),
  )
  const conflicting = conflicts(contenders)
  for (const [{ checked, port, protocol, hostname }, reason] of conflicting) {
    const name = hostname === '' ? 'no hostname' : `hostname ${hostname}`
    const message =
      reason === 'HostnameConflict'
        ? `another listener of this Gateway or its ListenerSets has port ${port} and ${name} too; change one of the two`
        : `another listener of this Gateway or its ListenerSets has port ${port} by a protocol that does not go with ${protocol}; change the port`
    add(checked, error(checked.owner, pathOf(checked), 'Conflicted', reason, message))
  }
  for (const { checked, port } of overlapping(contenders.flat().filter((each) => !conflicting.has(each)))) {
    const message = `the hostname overlaps with that of another listener on port ${port}, so a client may use a connection of one for the other`
    const path = [...pathOf(checked), 'hostname']
    add(checked, warning(checked.owner, path, 'OverlappingHostnames', message, 'OverlappingTLSConfig'))
  }
  return found
}

function parentNotAccepted(set: ListenerSet, { metadata }: Gateway): Finding {
  const message = `Gateway ${metadata.namespace}/${metadata.name} is not accepted; its status says why`
  return error(set, ['spec', 'parentRef'], 'Accepted', 'ParentNotAccepted', message)
}
