import * as z from 'zod'
import { group, integer, kind, list, namespace, objectName, port, sectionName } from '../fields.ts'
import { type Report, rule } from '../rule.ts'
import { gatewayGroup } from './versions.ts'

/** ParentReference. */
export const parentReference = z.object({
  group: group.default(gatewayGroup),
  kind: kind.default('Gateway'),
  namespace: namespace.exactOptional(),
  name: objectName,
  sectionName: sectionName.exactOptional(),
  port: port.exactOptional(),
})
export type ParentReference = z.output<typeof parentReference>

const sameParent = (a: ParentReference, b: ParentReference): boolean =>
  a.group === b.group && a.kind === b.kind && a.name === b.name && a.namespace === b.namespace

/** CommonRouteSpec.parentRefs: references to one parent must differ, all in the same way. */
export const parentReferences = list(parentReference, 32).check(
  rule((references, report) => {
    references.forEach((reference, index) => {
      const earlier = references.findIndex((other) => sameParent(other, reference))
      if (earlier === index) return
      const twin = references.findIndex(
        (other) =>
          sameParent(other, reference) && other.sectionName === reference.sectionName && other.port === reference.port,
      )
      const first = references[earlier]
      if (twin !== index) {
        report(
          [index],
          `names the same parent as parentRefs[${twin}]; remove one, or tell them apart by sectionName or port`,
        )
      } else if (
        (first?.sectionName === undefined) !== (reference.sectionName === undefined) ||
        (first?.port === undefined) !== (reference.port === undefined)
      ) {
        report(
          [index],
          `names the same parent as parentRefs[${earlier}]; give sectionName to both or none, and port to both or none`,
        )
      }
    })
  }),
)

const backend = {
  group: group.default(''),
  kind: kind.default('Service'),
  name: objectName,
  namespace: namespace.exactOptional(),
  port: port.exactOptional(),
}

function servicePort(
  reference: { readonly group: string; readonly kind: string; readonly port?: number },
  report: Report,
): void {
  if (reference.group === '' && reference.kind === 'Service' && reference.port === undefined) {
    report(['port'], 'is missing; a reference to a Service needs the port, from 1 to 65535')
  }
}

/** BackendObjectReference. */
export const backendObjectReference = z.object(backend).check(rule(servicePort))
export type BackendObjectReference = z.output<typeof backendObjectReference>

const weighted = {
  ...backend,
  weight: integer('a weight from 0 to 1000000', 0, 1_000_000).default(1),
}

/** BackendRef. */
export const backendReference = z.object(weighted).check(rule(servicePort))
export type BackendReference = z.output<typeof backendReference>

/** HTTPBackendRef and GRPCBackendRef: a BackendRef with filters of its own. */
export const filteredBackendReference = <Filters extends z.ZodType>(filters: Filters) =>
  z.object({ ...weighted, filters: filters.exactOptional() }).check(rule(servicePort))

/** SecretObjectReference. */
export const secretReference = z.object({
  group: group.default(''),
  kind: kind.default('Secret'),
  name: objectName,
  namespace: namespace.exactOptional(),
})
export type SecretReference = z.output<typeof secretReference>

/** ObjectReference: a group and kind that have no default, in any namespace. */
export const objectReference = z.object({ group, kind, name: objectName, namespace: namespace.exactOptional() })
export type ObjectReference = z.output<typeof objectReference>

/** LocalObjectReference. */
export const localObjectReference = z.object({ group, kind, name: objectName })
export type LocalObjectReference = z.output<typeof localObjectReference>
