import type { ConfigMap } from '../../kube/core/config-map.ts'
import type { Secret } from '../../kube/core/secret.ts'
import { nameOf } from '../snapshot-index.ts'
import { authorityFault, type CertificateFault, keyPairFault } from './certificates.ts'
import type { Finding } from './finding.ts'
import { missingGrant, permitted, type Referrer } from './grants.ts'
import type { Source, SourceTopics } from './source.ts'

/** SecretObjectReference, ObjectReference or LocalObjectReference. */
export interface Reference {
  readonly group: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

export interface ReferenceFault {
  readonly why: 'not permitted' | 'unknown kind' | 'not found' | 'malformed'
  /** The field of the reference that is wrong. */
  readonly field: 'kind' | 'namespace' | 'name'
  readonly message: string
}

/** What the check of a Secret or ConfigMap came to, which takes a thousand times longer than to look it up. */
export type CertificateChecks = WeakMap<Secret | ConfigMap, { readonly fault: CertificateFault | undefined }>

function checked(object: Secret | ConfigMap, checks: CertificateChecks): CertificateFault | undefined {
  let check = checks.get(object)
  if (check === undefined) {
    check = { fault: object.kind === 'Secret' ? keyPairFault(object) : authorityFault(object) }
    checks.set(object, check)
  }
  return check.fault
}

/** The good certificate with its key, or the good CA certificates, that a reference leads to; or what is wrong with it. */
export function referred<K extends 'Secret' | 'ConfigMap'>(
  reference: Reference,
  wanted: K,
  from: Referrer,
  source: Source,
  checks: CertificateChecks,
): SourceTopics[K] | ReferenceFault {
  const { group, kind, name, namespace = from.namespace } = reference
  // First of all: what a namespace does not share is not told either.
  const referent = { group, kind, namespace, name }
  if (!permitted(from, referent, source)) {
    return { why: 'not permitted', field: 'namespace', message: missingGrant(from, referent) }
  }
  if (group !== '' || kind !== wanted) {
    const shown = group === '' ? kind : `${kind} of group ${group}`
    return {
      why: 'unknown kind',
      field: 'kind',
      message: `a ${shown} cannot be used here; name a ${wanted}, with group ""`,
    }
  }
  const object = source.look(wanted, nameOf(namespace, name))
  if (object === undefined) {
    return { why: 'not found', field: 'name', message: `there is no ${wanted} ${namespace}/${name}; create it` }
  }
  const fault = checked(object, checks)
  if (fault === undefined) return object
  return { why: 'malformed', field: 'name', message: `${wanted} ${namespace}/${name} ${faultWords(fault)}` }
}

/** What several references lead to, as `referred`; `blame` makes a finding of what is wrong with the one at `index`. */
export function allReferred<K extends 'Secret' | 'ConfigMap'>(
  references: readonly Reference[],
  wanted: K,
  from: Referrer,
  source: Source,
  checks: CertificateChecks,
  blame: (fault: ReferenceFault, index: number) => Finding,
): { readonly objects: readonly SourceTopics[K][]; readonly findings: readonly Finding[] } {
  const objects: SourceTopics[K][] = []
  const findings: Finding[] = []
  for (const [index, reference] of references.entries()) {
    const found = referred(reference, wanted, from, source, checks)
    if ('why' in found) findings.push(blame(found, index))
    else objects.push(found)
  }
  return { objects, findings }
}

const faultWords = ({ path, message }: CertificateFault): string => {
  const key = path.at(1)
  return key === undefined ? message : `has a wrong ${key}: it ${message}`
}
