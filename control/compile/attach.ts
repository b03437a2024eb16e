import type { ParentReference } from '../../kube/gateway-api/references.ts'
import { gatewayGroup } from '../../kube/gateway-api/versions.ts'
import { objectKey } from '../../kube/objects.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { nameOf } from '../snapshot-index.ts'
import type { ControllerName } from './features.ts'
import { error, type Finding, few, warning } from './finding.ts'
import { served } from './hostnames.ts'
import { isOpen } from './namespaces.ts'
import type { DefaultOrigin } from './origins.ts'
import type { ListenerView, ParentView } from './parents.ts'
import { hostnamesOf, type Route } from './routes.ts'
import type { Source } from './source.ts'

/** A listener that a route is attached to. */
export interface Attachment {
  /** Listener.id of the table. */
  readonly listener: string
  /** Routes attach to a listener that is not accepted too, but get no traffic from it. */
  readonly isServed: boolean
  /** What the listener serves of the route's hostnames; [""] for a route of TCP and UDP. */
  readonly hostnames: readonly string[]
}

/** What came of one parentRef to a Gateway or ListenerSet of ours. */
export interface ParentAttachment {
  /** As the route's status names it. */
  readonly ref: ParentReference
  readonly path: FieldPath
  /** "namespace/name" */
  readonly gateway: string
  readonly controller: ControllerName
  readonly origin: DefaultOrigin
  readonly attachments: readonly Attachment[]
  /** Why there is no attachment. */
  readonly findings: readonly Finding[]
}

export interface Attached {
  readonly parents: readonly ParentAttachment[]
  /** About parentRefs that lead nowhere, which no status shows. */
  readonly findings: readonly Finding[]
}

/** Whether a route is attached as before: most changes of a Gateway mean nothing to its routes. */
export const isAttachedAlike = (a: Attached, b: Attached): boolean =>
  isAlike(a.parents, b.parents, isParentAlike) && a.findings.length === 0 && b.findings.length === 0

const isParentAlike = (a: ParentAttachment, b: ParentAttachment): boolean =>
  a.ref === b.ref &&
  a.gateway === b.gateway &&
  a.controller === b.controller &&
  a.origin === b.origin &&
  isAlike(a.attachments, b.attachments, isAttachmentAlike) &&
  a.findings.length === 0 &&
  b.findings.length === 0

const isAttachmentAlike = (a: Attachment, b: Attachment): boolean =>
  a.listener === b.listener &&
  a.isServed === b.isServed &&
  (a.hostnames === b.hostnames || isAlike(a.hostnames, b.hostnames, (a, b) => a === b))

function isAlike<T>(a: readonly T[], b: readonly T[], alike: (a: T, b: T) => boolean): boolean {
  return (
    a.length === b.length &&
    a.every((item, index) => {
      const other = b[index]
      return other !== undefined && alike(item, other)
    })
  )
}

/** CommonRouteSpec.parentRefs and useDefaultGateways. */
export function attach(route: Route, source: Source): Attached {
  const parents: ParentAttachment[] = []
  const findings: Finding[] = []
  for (const [index, ref] of (route.spec.parentRefs ?? []).entries()) {
    if (ref.group !== gatewayGroup || (ref.kind !== 'Gateway' && ref.kind !== 'ListenerSet')) continue
    const path = ['spec', 'parentRefs', index]
    const namespace = ref.namespace ?? route.metadata.namespace
    const parent = source.look('parent', objectKey(ref.kind, namespace, ref.name))
    if (parent !== undefined) parents.push(attachTo(parent, route, ref, path, source))
    else if (source.look(ref.kind, nameOf(namespace, ref.name)) === undefined) {
      const message = `there is no ${ref.kind} ${namespace}/${ref.name}, so nothing is served through it; create it, or correct the name or namespace`
      findings.push(warning(route, [...path, 'name'], 'UnknownParent', message))
    }
  }
  if (route.spec.useDefaultGateways === 'All') {
    for (const parent of source.look('defaultGateways', 'All') ?? []) {
      const { kind, namespace, name } = parent
      if (parents.some(({ gateway, ref }) => gateway === parent.gateway && ref.kind === kind)) continue
      parents.push(
        attachTo(parent, route, { group: gatewayGroup, kind, namespace, name }, ['spec', 'useDefaultGateways'], source),
      )
    }
  }
  return { parents, findings }
}

function attachTo(
  parent: ParentView,
  route: Route,
  ref: ParentReference,
  path: FieldPath,
  source: Source,
): ParentAttachment {
  const attachments: Attachment[] = []
  const refusals: Refusal[] = []
  for (const listener of parent.listeners) {
    if (ref.sectionName !== undefined && ref.sectionName !== listener.name) continue
    if (ref.port !== undefined && ref.port !== listener.port) continue
    const verdict = attachment(listener, parent, route, source)
    if ('why' in verdict) refusals.push(verdict)
    else attachments.push(verdict)
  }
  const findings = attachments.length > 0 ? [] : [refused(refusals, parent, route, ref, path)]
  const { gateway, controller, origin } = parent
  return { ref, path, gateway, controller, origin, attachments, findings }
}

/** Why a listener does not take a route. */
interface Refusal {
  readonly why: 'kind' | 'namespace' | 'hostname'
  readonly listener: ListenerView
}

function attachment(listener: ListenerView, parent: ParentView, route: Route, source: Source): Attachment | Refusal {
  if (!listener.kinds.includes(route.kind)) return { why: 'kind', listener }
  if (!isOpen(listener.namespaces, parent.namespace, route.metadata.namespace, source))
    return { why: 'namespace', listener }
  const hostnames = served(listener.hostname, hostnamesOf(route))
  if (hostnames.length === 0) return { why: 'hostname', listener }
  return { listener: listener.id, isServed: listener.accepted, hostnames }
}

/** The refusal that came closest to an attachment, in words. */
function refused(
  refusals: readonly Refusal[],
  parent: ParentView,
  route: Route,
  ref: ParentReference,
  path: FieldPath,
): Finding {
  const name = `${parent.kind} ${parent.namespace}/${parent.name}`
  const found =
    refusals.find(({ why }) => why === 'hostname') ?? refusals.find(({ why }) => why === 'namespace') ?? refusals[0]
  if (found === undefined) return noListener(parent, name, route, ref, path)
  const listener = `listener ${found.listener.name} of ${name}`
  const more = refusals.length === 1 ? '' : `, and the other ${refusals.length - 1} do not take it either`
  switch (found.why) {
    case 'hostname': {
      const wanted = found.listener.hostname
      const message = `no hostname of the route fits ${wanted}, the hostname of ${listener}${more}; add one that does, or change the listener's`
      return error(route, ['spec', 'hostnames'], 'Accepted', 'NoMatchingListenerHostname', message)
    }
    case 'namespace': {
      const { from } = found.listener.namespaces
      const open = from === 'Same' ? `namespace ${parent.namespace}` : 'namespaces that its selector selects'
      const message = `${listener} is open to routes of ${open} only${more}; move the route, or widen allowedRoutes.namespaces of the listener`
      return error(route, path, 'Accepted', 'NotAllowedByListeners', message)
    }
    case 'kind': {
      const { kinds } = found.listener
      const takes = kinds.length === 0 ? 'no routes at all' : kinds.join(' and ')
      const message = `${listener} takes ${takes}${kinds.length === 0 ? '' : `, and no ${route.kind}`}${more}; name another listener, or change its protocol or allowedRoutes.kinds`
      return error(route, path, 'Accepted', 'NotAllowedByListeners', message)
    }
  }
}

function noListener(parent: ParentView, name: string, route: Route, ref: ParentReference, path: FieldPath): Finding {
  if (parent.refused !== undefined) {
    const message = `${name} is not part of its Gateway: ${parent.refused}`
    return error(route, path, 'Accepted', 'NoMatchingParent', message)
  }
  const wanted = [
    ...(ref.sectionName === undefined ? [] : [`name ${ref.sectionName}`]),
    ...(ref.port === undefined ? [] : [`port ${ref.port}`]),
  ].join(' and ')
  const all = few(parent.listeners.map(({ name, port }) => `${name} (port ${port})`))
  const field = ref.sectionName === undefined ? 'port' : 'sectionName'
  const message = `${name} has no listener with ${wanted}; it has ${all}`
  return error(route, [...path, field], 'Accepted', 'NoMatchingParent', message)
}
