import type { Condition, KubeObject } from '../../kube/objects.ts'
import { formatField } from '../../kube/problem.ts'
import { type Finding, type FindingCondition, few } from '../compile/finding.ts'
import type { ClassState } from '../compile/gateways.ts'
import {
  type GatewayListeners,
  isAccepted,
  isProgrammed,
  type ListenerState,
  type SetState,
} from '../compile/listeners.ts'
import type { PolicyState } from '../compile/policies.ts'
import type { ParentState, RouteState } from '../compile/route-state.ts'
import type { Reason } from './reasons.ts'

// The one place where findings become conditions.

/** A condition before it is stamped with time and generation. */
export interface Verdict {
  readonly type: FindingCondition | 'SupportedVersion'
  readonly status: 'True' | 'False'
  readonly reason: Reason
  readonly message: string
}

export const stamped = (verdicts: readonly Verdict[], { metadata }: KubeObject, now: string): readonly Condition[] =>
  verdicts.map((verdict) => ({ ...verdict, observedGeneration: metadata.generation, lastTransitionTime: now }))

const yes = (type: Verdict['type'], reason: Reason, message = ''): Verdict => ({
  type,
  status: 'True',
  reason,
  message,
})
const no = (type: Verdict['type'], reason: Reason, message: string): Verdict => ({
  type,
  status: 'False',
  reason,
  message,
})

/** A condition has room for 32768 characters, and a reader for less. */
const shownFindings = 8

/** Findings as one text, each with the field that it is about. */
function words(findings: readonly Finding[], subject: KubeObject): string {
  const shown = findings.slice(0, shownFindings).map(({ object, path, message }) => {
    const field = formatField(path)
    const { namespace, name } = object.metadata
    const of = object === subject ? '' : `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name} `
    return `${of}${field}: ${message}`
  })
  const more = findings.length - shown.length
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

/** The condition that findings turn to False, by the reason of the first. */
function turned(type: FindingCondition, findings: readonly Finding[], subject: KubeObject): Verdict | undefined {
  const found = findings.filter(({ condition }) => condition === type)
  return found[0] && no(type, found[0].reason, words(found, subject))
}

/** The same for conditions that are True when something is wrong, and absent when nothing is. */
function raised(type: FindingCondition, findings: readonly Finding[], subject: KubeObject): readonly Verdict[] {
  const found = findings.filter(({ condition }) => condition === type)
  return found[0] === undefined ? [] : [yes(type, found[0].reason, words(found, subject))]
}

export const classVerdicts = ({ class: subject, findings }: ClassState): readonly Verdict[] => [
  turned('Accepted', findings, subject) ?? yes('Accepted', 'Accepted'),
  yes('SupportedVersion', 'SupportedVersion', 'Gateway API v1.6.1'),
]

const names = (listeners: readonly ListenerState[]): string =>
  few(
    listeners.map(({ listener }) => listener.name),
    64,
  )

/** Accepted of what consists of listeners: True while one is good. */
function sumOfListeners(listeners: readonly ListenerState[], isGood: (state: ListenerState) => boolean): Verdict {
  const bad = listeners.filter((state) => !isGood(state))
  if (bad.length === 0) return yes('Accepted', 'Accepted')
  const good = listeners.filter(isGood)
  if (good.length === 0) return no('Accepted', 'ListenersNotValid', `no listener is valid: ${names(bad)}`)
  return yes('Accepted', 'ListenersNotValid', `not valid: ${names(bad)}; valid: ${names(good)}`)
}

export function gatewayVerdicts({ state, listeners, findings }: GatewayListeners): readonly Verdict[] {
  const { gateway } = state
  const accepted = turned('Accepted', findings, gateway) ?? sumOfListeners(listeners, isAccepted)
  return [
    accepted,
    gatewayProgrammed(accepted, { state, listeners, findings }),
    turned('ResolvedRefs', findings, gateway) ?? listenersResolved(listeners),
    ...raised('InsecureFrontendValidationMode', findings, gateway),
  ]
}

function gatewayProgrammed(
  accepted: Verdict,
  { state, listeners, findings }: Pick<GatewayListeners, 'state' | 'listeners' | 'findings'>,
): Verdict {
  if (accepted.status === 'False') return no('Programmed', 'Invalid', 'the Gateway is not accepted')
  const wrong = turned('Programmed', findings, state.gateway)
  if (wrong !== undefined) return wrong
  if (listeners.some(isProgrammed)) return yes('Programmed', 'Programmed')
  return no('Programmed', 'Invalid', `no listener can take connections: ${names(listeners)}`)
}

function listenersResolved(listeners: readonly ListenerState[]): Verdict {
  const unresolved = listeners.filter(({ findings }) => findings.some(({ condition }) => condition === 'ResolvedRefs'))
  return unresolved.length === 0
    ? yes('ResolvedRefs', 'ResolvedRefs')
    : no('ResolvedRefs', 'ListenersNotResolved', `references do not resolve in ${names(unresolved)}`)
}

const isTrue = (verdicts: readonly Verdict[], type: Verdict['type']): boolean =>
  verdicts.some((verdict) => verdict.type === type && verdict.status === 'True')

/** `parent` are the verdicts on the Gateway or ListenerSet that has the listener. */
export function listenerVerdicts({ owner, findings }: ListenerState, parent: readonly Verdict[]): readonly Verdict[] {
  const [conflict] = raised('Conflicted', findings, owner)
  const refused =
    conflict === undefined ? turned('Accepted', findings, owner) : no('Accepted', conflict.reason, conflict.message)
  return [
    refused ?? yes('Accepted', 'Accepted'),
    conflict ?? no('Conflicted', 'NoConflicts', ''),
    listenerProgrammed(conflict ?? refused, findings, owner, parent),
    turned('ResolvedRefs', findings, owner) ?? yes('ResolvedRefs', 'ResolvedRefs'),
    ...raised('OverlappingTLSConfig', findings, owner),
  ]
}

function listenerProgrammed(
  refused: Verdict | undefined,
  findings: readonly Finding[],
  owner: KubeObject,
  parent: readonly Verdict[],
): Verdict {
  if (refused !== undefined) {
    const reason = refused.type === 'Conflicted' ? refused.reason : 'Invalid'
    return no('Programmed', reason, 'the listener is not accepted')
  }
  const wrong = turned('Programmed', findings, owner)
  if (wrong !== undefined) return wrong
  return isTrue(parent, 'Programmed')
    ? yes('Programmed', 'Programmed')
    : no('Programmed', 'Pending', `the ${owner.kind} is not programmed`)
}

/** `parent` are the verdicts on the Gateway. */
export function setVerdicts({ set, listeners, findings }: SetState, parent: readonly Verdict[]): readonly Verdict[] {
  // A listener that cannot take connections is no use to a set, while a Gateway may have it (ListenerSetReferenceGrant).
  const accepted = turned('Accepted', findings, set) ?? sumOfListeners(listeners, isProgrammed)
  return [accepted, setProgrammed(accepted, parent)]
}

function setProgrammed(accepted: Verdict, parent: readonly Verdict[]): Verdict {
  if (accepted.reason === 'ParentNotAccepted') return no('Programmed', 'ParentNotProgrammed', accepted.message)
  if (accepted.status === 'False') return no('Programmed', accepted.reason, accepted.message)
  return isTrue(parent, 'Programmed')
    ? yes('Programmed', 'Programmed')
    : no('Programmed', 'ParentNotProgrammed', 'the Gateway is not programmed')
}

export const isAcceptedSet = (verdicts: readonly Verdict[]): boolean => isTrue(verdicts, 'Accepted')

/** A route at one of its parents. */
export function parentVerdicts({ route }: RouteState, { findings, rules }: ParentState): readonly Verdict[] {
  const refused = turned('Accepted', findings, route)
  const invalid = rules.findings.filter(({ condition }) => condition === 'PartiallyInvalid')
  const resolved = turned('ResolvedRefs', rules.findings, route) ?? yes('ResolvedRefs', 'ResolvedRefs')
  if (refused !== undefined) return [refused, resolved]
  const [first] = invalid
  if (first === undefined) return [yes('Accepted', 'Accepted'), resolved]
  if (!rules.isValid) return [no('Accepted', first.reason, `no rule is left; ${words(invalid, route)}`), resolved]
  // RouteConditionPartiallyInvalid: the message MUST begin so.
  const dropped = `Dropped Rule ${rules.dropped.join(', ')}; ${words(invalid, route)}`
  return [yes('Accepted', 'Accepted'), resolved, yes('PartiallyInvalid', first.reason, dropped)]
}

export const policyVerdicts = ({ policy, findings }: PolicyState): readonly Verdict[] => [
  turned('Accepted', findings, policy) ?? yes('Accepted', 'Accepted'),
  turned('ResolvedRefs', findings, policy) ?? yes('ResolvedRefs', 'ResolvedRefs'),
]
