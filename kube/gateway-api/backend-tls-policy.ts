import * as z from 'zod'
import {
  domainPrefixedName,
  group,
  hostname,
  kind,
  list,
  objectName,
  preciseHostname,
  sectionName,
  text,
} from '../fields.ts'
import { objectMeta } from '../metadata.ts'
import { rule } from '../rule.ts'
import { tlsOptions } from './listener.ts'
import { localObjectReference } from './references.ts'
import { versions } from './versions.ts'

/** LocalPolicyTargetReferenceWithSectionName. */
const targetReference = z.object({ group, kind, name: objectName, sectionName: sectionName.exactOptional() })

/** References to one target must differ by sectionName: two whole targets, or a whole one and a part, do not. */
const targetReferences = list(targetReference, 16, 1).check(
  rule((references, report) => {
    references.forEach((reference, index) => {
      const earlier = references.findIndex(
        (other) =>
          other.group === reference.group &&
          other.kind === reference.kind &&
          other.name === reference.name &&
          (other.sectionName === undefined ||
            reference.sectionName === undefined ||
            other.sectionName === reference.sectionName),
      )
      if (earlier < index) {
        report(
          [index],
          `names the same target as targetRefs[${earlier}]; remove one, or give each a sectionName of its own`,
        )
      }
    })
  }),
)

/** SubjectAltName. */
const subjectAltName = z
  .object({
    type: z.enum(['Hostname', 'URI']),
    hostname: hostname.exactOptional(),
    uri: text('a URI such as spiffe://example.com/service', 253, /^[^:/?#]+:\/\//).exactOptional(),
  })
  .check(
    rule((name, report) => {
      const [own, other] = name.type === 'Hostname' ? (['hostname', 'uri'] as const) : (['uri', 'hostname'] as const)
      if (name[own] === undefined) report([own], `is missing; type ${name.type} needs it`)
      if (name[other] !== undefined) report([other], `does not go with type ${name.type}; change one of the two`)
    }),
  )

/** BackendTLSPolicyValidation. */
const validation = z
  .object({
    caCertificateRefs: list(localObjectReference, 8).exactOptional(),
    wellKnownCACertificates: text(
      'System, or a name with a domain such as example.com/roots',
      253,
      new RegExp(`^(System|${domainPrefixedName})$`),
    ).exactOptional(),
    hostname: preciseHostname,
    subjectAltNames: list(subjectAltName, 5).exactOptional(),
  })
  .check(
    rule(({ caCertificateRefs = [], wellKnownCACertificates }, report) => {
      if (caCertificateRefs.length > 0 && wellKnownCACertificates !== undefined) {
        report(['wellKnownCACertificates'], 'stands beside caCertificateRefs; keep one of the two')
      }
      if (caCertificateRefs.length === 0 && wellKnownCACertificates === undefined) {
        report(
          ['caCertificateRefs'],
          'is missing; name a ConfigMap with the CA, or write wellKnownCACertificates: System',
        )
      }
    }),
  )

export const backendTLSPolicy = z.object({
  apiVersion: versions('v1', 'v1alpha3'),
  kind: z.literal('BackendTLSPolicy'),
  metadata: objectMeta,
  spec: z.object({
    targetRefs: targetReferences,
    validation,
    options: tlsOptions.exactOptional(),
  }),
})
export type BackendTLSPolicy = z.output<typeof backendTLSPolicy>
