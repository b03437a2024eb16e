import { z } from 'zod'
import type { RouteDiff } from '../route-diff/route-diff.ts'

// What the service answers. The types of the code and the schemas of the OpenAPI document are both made of this.

const count = z.int().min(0)
const time = z.iso.datetime().describe('RFC 3339, in UTC')
export const setName = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
const names = z.array(z.string()).readonly()

export const findingAnswer = z.strictObject({
  severity: z.enum(['error', 'warning', 'info']),
  file: z.string().describe('"set/file"'),
  line: z.int().min(1),
  kind: z.string(),
  namespace: z.string().describe('"" for kinds without namespaces'),
  name: z.string(),
  field: z.string().describe('such as spec.rules[0].matches; "" for the whole object'),
  message: z.string(),
  reason: z.string().describe('of the condition that shows it; "" where an API server would refuse the manifest'),
})

export const changes = z.strictObject({ added: names, changed: names, removed: names })

export const tableChange = z.strictObject({
  gateway: z.string().describe('"namespace/name"'),
  listeners: changes,
  routes: changes,
  backends: changes,
  settingsChanged: z.boolean(),
})

export const writtenAnswer = z.strictObject({
  entries: count.describe('written into the store, or that would be'),
  bytes: count,
  collected: count.describe('old entries that were deleted, or would be'),
})

export const planAnswer = z.strictObject({
  set: setName,
  current: count.describe('the version that the plan starts from; 0: none'),
  objects: count,
  unchanged: z.boolean().describe('the set says what it already says'),
  changes: z.array(tableChange).readonly(),
  findings: z.array(findingAnswer).readonly().describe('about the objects of this set'),
  findingsLeftOut: count,
  written: writtenAnswer,
})

const parts = z.array(z.looseObject({})).readonly()

export const diffAnswer = z.strictObject({
  set: setName,
  from: z.int().min(1),
  to: z.int().min(1).optional().describe('absent: the manifests that came with the request'),
  gateways: z
    .array(
      z.strictObject({
        gateway: z.string().describe('"namespace/name"'),
        gatewayChange: z.enum(['added', 'removed', 'kept']),
        changes: parts.describe('requests that change their fate, an example of each kind'),
        connections: parts.describe('the same of connections'),
        settings: parts,
        unreached: parts.describe('rules that no request reaches'),
        isComplete: z.boolean().describe('false: not everything was looked at'),
      }),
    )
    .readonly()
    .describe('those that differ; none: nothing changes for any request or connection'),
})

export const versionState = z.enum(['publishing', 'published', 'replaced'])

export const versionAnswer = z.strictObject({
  set: setName,
  version: z.int().min(1),
  state: versionState.describe('replaced: another version came before this one was published'),
  digest: z
    .string()
    .describe('SHA-256 of what the manifests say, in hex: versions with the same content have the same'),
  objects: count,
  by: z.string().describe('name and id of the token'),
  at: time,
  publishedAt: time.optional(),
  rollbackTo: z.int().min(1).optional().describe('the version whose content this one has again'),
})

export const auditHead = z
  .strictObject({ sequence: count, hash: z.string() })
  .describe('The last entry of the audit log: who keeps it can tell later that none was rewritten.')

export const pushAnswer = planAnswer
  .omit({ current: true })
  .extend({ version: z.int().min(1), rollbackTo: z.int().min(1).optional(), audit: auditHead })

export const setAnswer = z.strictObject({ set: setName, owns: names, latest: versionAnswer })
export const setsAnswer = z.strictObject({ sets: z.array(setAnswer) })
export const versionsAnswer = z.strictObject({ versions: z.array(versionAnswer) })

export const statusAnswer = z.strictObject({
  objects: z.array(
    z.strictObject({
      set: setName,
      apiVersion: z.string(),
      kind: z.string(),
      metadata: z.looseObject({ name: z.string() }),
      status: z.looseObject({}),
    }),
  ),
})

export const auditEntry = z.strictObject({
  sequence: z.int().min(1),
  at: time,
  actor: z.string(),
  action: z.enum(['push', 'rollback', 'published', 'unpublished', 'refused', 'token-created', 'token-revoked']),
  set: z.string().describe('"" for what concerns no set'),
  version: count.describe('0 for what concerns no version'),
  digest: z.string(),
  note: z.string(),
  previous: z.string().describe('hash of the entry before'),
  hash: z.string(),
})
export const auditAnswer = z.strictObject({ entries: z.array(auditEntry) })

export const ownedAnswer = z.strictObject({ what: z.string().describe('such as "Namespace shop"'), owner: setName })

export const problemAnswer = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    problems: z.array(findingAnswer).readonly().optional(),
    owned: z.array(ownedAnswer).readonly().optional(),
    version: count.optional(),
    retryAfter: count.optional(),
  })
  .describe('RFC 9457')

/** A server-sent event of how a change of a set gets on; its name is the step. */
export const progress = z.strictObject({
  set: setName,
  step: z.enum(['received', 'compiled', 'kept', 'writing', 'published', 'refused', 'failed']),
  version: count.describe('0 as long as there is none'),
  written: count.exactOptional(),
  total: count.exactOptional(),
})

export const healthAnswer = z.strictObject({ health: z.enum(['ok', 'failed']) })

export type FindingAnswer = z.output<typeof findingAnswer>
export type TableChange = z.output<typeof tableChange>
export type PlanAnswer = z.output<typeof planAnswer>
/** With what the parts are, which its schema leaves open. */
export type DiffAnswer = Omit<z.output<typeof diffAnswer>, 'gateways'> & { readonly gateways: readonly RouteDiff[] }
export type PushAnswer = z.output<typeof pushAnswer>
export type VersionState = z.output<typeof versionState>
export type AuditEntry = z.output<typeof auditEntry>
export type AuditHead = z.output<typeof auditHead>
export type Progress = Readonly<z.output<typeof progress>>
export type OwnedAnswer = z.output<typeof ownedAnswer>
