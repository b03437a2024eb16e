import { z } from 'zod'
import { version } from '../../engine/version.ts'
import * as answers from './answers.ts'
import { manifestTypes } from './body.ts'
import { rollbackForm } from './set-routes.ts'

// https://spec.openapis.org/oas/v3.1.1.html

interface Operation {
  readonly summary: string
  /** Needed of the token; none for what everybody may ask. */
  readonly verb?: string
  readonly parameters?: readonly object[]
  readonly body?: object
  readonly answer: object
  /** Statuses of problems, beside those that every operation can have. */
  readonly problems?: readonly number[]
  readonly headers?: Readonly<Record<string, object>>
}

const schemas = {
  Push: answers.pushAnswer,
  Plan: answers.planAnswer,
  Diff: answers.diffAnswer,
  Set: answers.setAnswer,
  Sets: answers.setsAnswer,
  Versions: answers.versionsAnswer,
  Status: answers.statusAnswer,
  Audit: answers.auditAnswer,
  Problem: answers.problemAnswer,
  Health: answers.healthAnswer,
  Finding: answers.findingAnswer,
  Changes: answers.changes,
  TableChange: answers.tableChange,
  Written: answers.writtenAnswer,
  Version: answers.versionAnswer,
  AuditHead: answers.auditHead,
  AuditEntry: answers.auditEntry,
  Owned: answers.ownedAnswer,
} as const

const json = (name: keyof typeof schemas): object => ({
  'application/json': { schema: { $ref: `#/components/schemas/${name}` } },
})

const text = (type: string): object => ({ [type]: { schema: { type: 'string' } } })

const header = (name: string, description: string): object => ({
  ...{ name, in: 'header', description },
  schema: { type: 'string' },
})

const set = { name: 'set', in: 'path', required: true, schema: answers.setName.toJSONSchema() }
const etag = { etag: { schema: { type: 'string' }, description: 'the version, for If-Match' } }

const changing = [
  set,
  header('If-Match', '"7": only when the set is at that version; *: only when it is there'),
  header('If-None-Match', '*: only when the set is not there yet'),
  header('Idempotency-Key', 'the same request with the same key is done once, and answered again for a day'),
]

const manifests = {
  required: true,
  description: 'Kubernetes manifests as YAML or JSON, or a tar of files; also with Content-Encoding: gzip',
  content: Object.fromEntries(Object.keys(manifestTypes).map((type) => [type, {}])),
}

const allowEmpty = {
  ...{ name: 'allowEmpty', in: 'query', description: 'nothing may be left to serve' },
  schema: { type: 'boolean' },
}

const versionIn = (name: string, description: string): object => ({
  ...{ name, in: 'query', description },
  schema: { type: 'string', pattern: '^([1-9][0-9]{0,14}|latest)$' },
})

const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/v1/sets': { get: { summary: 'all sets that the token may read', verb: 'read', answer: json('Sets') } },
  '/v1/sets/{set}': {
    get: {
      summary: 'a set: its latest version, and what it owns',
      ...{ verb: 'read', parameters: [set], answer: json('Set'), headers: etag, problems: [404] },
    },
    put: {
      summary: 'push: validate, compile and publish the manifests of a set',
      ...{ verb: 'push', parameters: [...changing, allowEmpty], body: manifests, answer: json('Push'), headers: etag },
      problems: [409, 412, 413, 415, 422, 502, 503],
    },
  },
  '/v1/sets/{set}/plan': {
    post: {
      summary: 'what a push of these manifests would do',
      ...{ verb: 'plan', parameters: [set, allowEmpty], body: manifests, answer: json('Plan') },
      problems: [409, 413, 415, 422, 502, 503],
    },
  },
  '/v1/sets/{set}/diff': {
    post: {
      summary: 'which requests change their fate between a version and another one, or these manifests',
      ...{ verb: 'plan', body: { ...manifests, required: false }, answer: json('Diff') },
      parameters: [
        set,
        versionIn('from', 'a version, or latest, which it is where it is not given'),
        versionIn('to', 'a version, or latest; the manifests of the body where it is not given'),
      ],
      problems: [404, 409, 413, 415, 422, 503],
    },
  },
  '/v1/sets/{set}/versions': {
    get: {
      summary: 'the versions that are kept, the newest first',
      ...{ verb: 'read', parameters: [set], answer: json('Versions'), problems: [404] },
    },
  },
  '/v1/sets/{set}/rollback': {
    post: {
      summary: 'make a new version with the content of an earlier one: of the one before where none is named',
      ...{ verb: 'rollback', parameters: changing, answer: json('Push'), headers: etag },
      body: { content: { 'application/json': { schema: schemaOf(rollbackForm) } } },
      problems: [404, 409, 412, 413, 422, 502, 503],
    },
  },
  '/v1/status': { get: { summary: 'the status of every object', verb: 'read', answer: json('Status') } },
  '/v1/events': {
    get: {
      summary: 'how pushes get on: received, compiled, kept, writing, published, refused, failed',
      ...{ verb: 'read', answer: text('text/event-stream'), problems: [503] },
    },
  },
  '/v1/audit': {
    get: {
      summary: 'entries of the audit log',
      ...{ verb: 'audit', answer: json('Audit') },
      parameters: [{ name: 'after', in: 'query', description: 'sequence', schema: { type: 'integer', minimum: 0 } }],
    },
  },
  '/metrics': { get: { summary: 'for Prometheus', verb: 'read', answer: text('text/plain') } },
  '/healthz': { get: { summary: 'whether the process answers', answer: json('Health') } },
  '/readyz': { get: { summary: 'whether it has its database', answer: json('Health') } },
  '/openapi.json': {
    get: { summary: 'this document', answer: { 'application/json': { schema: { type: 'object' } } } },
  },
}

function schemaOf(schema: z.ZodType): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'output' })
  return rest
}

function components(): object {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id })
  const made = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` })
  return Object.fromEntries(Object.entries(made.schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]))
}

const problemStatuses = (verb: string | undefined): readonly number[] =>
  verb === undefined ? [] : [400, 401, 403, 429]

function operation({ summary, verb, parameters = [], body, answer, problems = [], headers = {} }: Operation): object {
  const refused = {
    description: 'refused',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
  const statuses = [...problemStatuses(verb), ...problems, 500]
  return {
    summary: verb === undefined ? summary : `${summary} (token for ${verb})`,
    security: verb === undefined ? [] : [{ token: [] }],
    parameters,
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      200: { description: 'done', headers, content: answer },
      ...Object.fromEntries(statuses.map((status) => [status, refused])),
    },
  }
}

/** The OpenAPI document that the service is held against. */
export const openApi = {
  openapi: '3.1.1',
  info: { title: 'Landfall control service', version },
  paths: Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(Object.entries(operations).map(([method, each]) => [method, operation(each)])),
    ]),
  ),
  components: {
    schemas: components(),
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
  },
}
