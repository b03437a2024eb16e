import { explain } from './explain.ts'
import { nearest } from './nearest.ts'
import { type Kind, type KubeObject, kinds } from './objects.ts'
import { type Outline, outline } from './outline.ts'
import { prune } from './prune.ts'
import type { FieldPath } from './rule.ts'

/** A problem of one object, before it is known where the object stands. */
export interface Fault {
  readonly severity: 'error' | 'warning'
  readonly path: FieldPath
  readonly message: string
}

export interface Validated {
  /** undefined when there are errors, or when Landfall does not read this kind. */
  readonly object: KubeObject | undefined
  readonly faults: readonly Fault[]
  /** As far as they can be read. */
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Kinds without namespaces. */
const clusterKinds: ReadonlySet<Kind> = new Set([
  'BGPAdvertisement',
  'BGPClusterConfig',
  'BGPNodeConfigOverride',
  'BGPPeerConfig',
  'CiliumBGPAdvertisement',
  'CiliumBGPClusterConfig',
  'CiliumBGPNodeConfigOverride',
  'CiliumBGPPeerConfig',
  'CiliumL2AnnouncementPolicy',
  'CiliumLoadBalancerIPPool',
  'GatewayClass',
  'L2AnnouncementPolicy',
  'LoadBalancerIPPool',
  'Namespace',
  'Node',
])

const isKind = (kind: string): kind is Kind => Object.hasOwn(kinds, kind)

const outlines = new Map<Kind, Outline>()

function outlineOf(kind: Kind): Outline {
  let found = outlines.get(kind)
  if (found === undefined) {
    const whole = outline(kinds[kind].schema)
    // The status is the controller's to write.
    found = { ...whole, unread: new Set([...whole.unread, 'status']) }
    outlines.set(kind, found)
  }
  return found
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

/** As far as it may be part of an object's name. */
const textField = (value: unknown, name: string): string => {
  const found = field(value, name)
  return typeof found === 'string' ? found.slice(0, 253) : ''
}

const apiVersionOf = (kind: Kind, version: string): string =>
  kinds[kind].group === '' ? version : `${kinds[kind].group}/${version}`

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(apiVersion.indexOf('/'), 0))

/** Groups whose kinds Kubernetes itself names: a kind of ours there is a mistake, elsewhere it is somebody else's. */
const isOfKubernetes = (group: string): boolean => group === '' || group.endsWith('k8s.io')

/** What is wrong with an object's apiVersion and kind; a kind when nothing is; undefined when the object is not for Landfall. */
function readKind(value: unknown): Kind | Fault | undefined {
  const error = (path: FieldPath, message: string): Fault => ({ severity: 'error', path, message })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return error([], 'is no Kubernetes object; write one with apiVersion, kind, metadata and spec')
  }
  const kind = field(value, 'kind')
  const apiVersion = field(value, 'apiVersion')
  if (typeof kind !== 'string' || kind === '') {
    return error(
      kind === undefined ? [] : ['kind'],
      'kind is missing; write what the object is, such as kind: HTTPRoute',
    )
  }
  if (isKind(kind)) {
    const { served } = kinds[kind]
    const right = apiVersionOf(kind, served[0])
    if (typeof apiVersion !== 'string' || apiVersion === '') {
      return error(apiVersion === undefined ? [] : ['apiVersion'], `apiVersion is missing; write apiVersion: ${right}`)
    }
    if (served.some((version) => apiVersionOf(kind, version) === apiVersion)) return kind
    if (groupOf(apiVersion) === kinds[kind].group) {
      return error(['apiVersion'], `${apiVersion} is not served for ${kind}; write ${right}`)
    }
    return isOfKubernetes(groupOf(apiVersion)) || nearest(groupOf(apiVersion), [kinds[kind].group]) !== undefined
      ? error(['apiVersion'], `${apiVersion} has no kind ${kind}; write ${right}`)
      : undefined
  }
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    return error([], 'apiVersion is missing; write the API group and version of the kind')
  }
  const ours = Object.keys(kinds).filter((name) => isKind(name) && kinds[name].group === groupOf(apiVersion))
  const meant = nearest(kind, ours)
  return meant === undefined ? undefined : error(['kind'], `${apiVersion} has no kind ${kind}; did you mean ${meant}?`)
}

/** Errors of one object that are listed. */
const maxErrors = 50

/** Validates, defaults and prunes one object as the API server does. */
export function validate(value: unknown): Validated {
  const metadata = field(value, 'metadata')
  const kind = textField(value, 'kind')
  const found = readKind(value)
  const hasNamespace = isKind(kind) && !clusterKinds.has(kind)
  const subject = {
    kind,
    namespace: textField(metadata, 'namespace') || (hasNamespace ? 'default' : ''),
    name: textField(metadata, 'name'),
  }
  if (found === undefined) return { ...subject, object: undefined, faults: [] }
  if (typeof found !== 'string') return { ...subject, object: undefined, faults: [found] }

  const faults: Fault[] = []
  const pruned = prune(value, outlineOf(found), (path, message) => faults.push({ severity: 'warning', path, message }))
  const parsed = kinds[found].schema.safeParse(pruned, { error: explain })
  if (parsed.success) return { ...subject, object: parsed.data, faults }
  const { issues } = parsed.error
  for (const { path, message } of issues.slice(0, maxErrors)) {
    faults.push({ severity: 'error', path: path.filter((step) => typeof step !== 'symbol'), message })
  }
  if (issues.length > maxErrors) {
    faults.push({
      severity: 'error',
      path: [],
      message: `has ${issues.length - maxErrors} more errors; they show when these are gone`,
    })
  }
  return { ...subject, object: undefined, faults }
}
