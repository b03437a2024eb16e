import * as z from 'zod'
import {
  labelPattern,
  labelValueFault,
  labelWords,
  qualifiedNameFault,
  subdomainPattern,
  subdomainWords,
  text,
  texts,
} from './fields.ts'
import { rule } from './rule.ts'

const name = text(`a name of ${subdomainWords}`, 253, subdomainPattern)
const labelName = text(`a name of ${labelWords}`, 63, labelPattern)

const labels = texts.check(
  rule((value, report) => {
    for (const key in value) {
      const fault = qualifiedNameFault(key) ?? labelValueFault(value[key] ?? '')
      if (fault !== undefined) report([key], fault)
    }
  }),
)

/** TotalAnnotationSizeLimitB. */
const annotationLimit = 256 * 1024

const annotations = texts.check(
  rule((value, report) => {
    let size = 0
    for (const key in value) {
      size += key.length + (value[key]?.length ?? 0)
      const fault = qualifiedNameFault(key.toLowerCase())
      if (fault !== undefined) report([key], fault)
    }
    if (size > annotationLimit) report([], `annotations hold ${size} characters; at most ${annotationLimit} fit`)
  }),
)

/** RFC 3339, to the second and in UTC. Times in this form compare as texts. */
const time = z
  .string()
  .check(
    rule((value, report) => {
      if (!/^\d{4}-\d\d-\d\d[Tt]/.test(value) || Number.isNaN(Date.parse(value))) {
        report([], `${JSON.stringify(value.slice(0, 60))} is no time; write one such as 2026-01-31T12:00:00Z`)
      }
    }),
  )
  .transform((value) => (inUtc.test(value) ? value : new Date(value).toISOString().replace(/\.\d+Z$/, 'Z')))

const inUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** What every object has, as far as Landfall reads it. */
const common = {
  labels: labels.prefault({}),
  annotations: annotations.prefault({}),
  creationTimestamp: time.exactOptional(),
  /** 1 where a file does not say, as the API server gives a new object. */
  generation: z.number().int().default(1),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
}

const unread = {
  unread: [
    'deletionGracePeriodSeconds',
    'deletionTimestamp',
    'finalizers',
    'generateName',
    'managedFields',
    'ownerReferences',
    'selfLink',
  ],
}

const namespaceName = text(`the name of a namespace: ${labelWords}`, 63, labelPattern).default('default')

export const objectMeta = z.object({ name, namespace: namespaceName, ...common }).meta(unread)

/** For kinds whose name must fit in one DNS label. */
export const labelObjectMeta = z.object({ name: labelName, namespace: namespaceName, ...common }).meta(unread)

const noNamespace = z.undefined({ error: 'this kind belongs to the whole cluster; remove the namespace' }).optional()

export const clusterObjectMeta = z.object({ name, namespace: noNamespace, ...common }).meta(unread)
export const clusterLabelObjectMeta = z.object({ name: labelName, namespace: noNamespace, ...common }).meta(unread)

export type ObjectMeta = z.output<typeof objectMeta>
export type ClusterObjectMeta = z.output<typeof clusterObjectMeta>
