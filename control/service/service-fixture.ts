import { randomBytes } from 'node:crypto'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { MemoryStore } from '../publish/memory.ts'
import type { Store } from '../publish/store.ts'
import { app } from './app.ts'
import { nodeLimits } from './limits.ts'
import { NodeSql } from './node-sql.ts'
import { openApi } from './openapi.ts'
import { prepare } from './schema.ts'
import { createService, type Place, type Service } from './service.ts'
import type { Sql } from './sql.ts'
import { type Verb, verbs } from './tokens.ts'
import { OwnTurns } from './turns.ts'

// A service in memory, whose every answer is held against its OpenAPI document.

export const START = 1_700_000_000_000

const site = {
  controllers: ['landfall.dev/edge-controller', 'landfall.dev/gateway-controller'],
  network: { usable: () => true, assigned: [{ type: 'IPAddress', value: '192.0.2.1' }] },
} as const

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Parsed, where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they expect it
  readonly body: any
}

export interface Ask {
  readonly method?: string
  readonly token?: string
  readonly type?: string
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
}

export class TestService {
  readonly sql: Sql
  readonly store: Store
  readonly service: Service
  readonly logged: string[] = []
  /** Milliseconds since the epoch. */
  time = START
  #token = ''

  private constructor(sql: Sql, store: Store, changes: Partial<Place>) {
    this.sql = sql
    this.store = store
    const place: Place = {
      ...{ sql, store, site, turns: new OwnTurns(), limits: nodeLimits, publishing: {}, now: () => this.time },
      log: (level, event, fields) => this.logged.push(JSON.stringify({ level, event, ...fields })),
      ...changes,
    }
    this.service = createService(place, new AbortController().signal)
  }

  static async start(changes: Partial<Place> = {}): Promise<TestService> {
    const sql = changes.sql ?? new NodeSql(':memory:')
    await prepare(sql)
    const started = new TestService(sql, changes.store ?? new MemoryStore(), changes)
    started.#token = await started.token()
    await started.service.publisher.recover()
    return started
  }

  /** The words of a new token. */
  async token(
    changes: { readonly sets?: readonly string[]; readonly verbs?: readonly Verb[]; readonly name?: string } = {},
  ) {
    const wanted = { name: 'test', sets: ['*'], verbs: [...verbs], expiresAt: undefined, ...changes }
    const { words, statements } = await this.service.tokens.create(wanted, 'the test', randomBytes)
    await this.sql.write(statements)
    return words
  }

  async ask(
    path: string,
    { method = 'GET', token = this.#token, type, body, headers = {} }: Ask = {},
  ): Promise<Answer> {
    const all = {
      ...(type === undefined ? {} : { 'content-type': type }),
      authorization: `Bearer ${token}`,
      ...headers,
    }
    const request = new Request(`http://control${path}`, {
      method,
      headers: all,
      ...(body === undefined ? {} : { body }),
    })
    return checked(method, path, await app.fetch(request, { service: this.service }))
  }

  push(set: string, text: string, more: Ask & { readonly query?: string } = {}): Promise<Answer> {
    const { query = '', ...rest } = more
    return this.ask(`/v1/sets/${set}${query}`, { method: 'PUT', type: 'application/yaml', body: text, ...rest })
  }
}

const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
ajv.addSchema({ $id: 'openapi', ...openApi })
const validators = new Map<string, ValidateFunction>()

/** The answer, which is one that the document has for this request. */
export async function checked(method: string, path: string, response: Response): Promise<Answer> {
  const { status, headers } = response
  const type = (headers.get('content-type') ?? '').split(';', 1)[0] ?? ''
  const isJson = type.endsWith('json')
  const body = isJson ? await response.json() : type === 'text/event-stream' ? response.body : await response.text()
  const place = placeOf(method.toLowerCase(), path.split('?', 1)[0] ?? '', status, type)
  if (place !== undefined && isJson) {
    const validate = validators.get(place) ?? ajv.compile({ $ref: `openapi#${place}` })
    validators.set(place, validate)
    if (!validate(body)) throw new Error(`${method} ${path} ${status}: ${ajv.errorsText(validate.errors)}`)
  }
  return { status, headers, body }
}

/** The JSON pointer to the schema of an answer; undefined for paths that the document has not. */
function placeOf(method: string, path: string, status: number, type: string): string | undefined {
  const template = Object.keys(openApi.paths).find((each) =>
    new RegExp(`^${each.replaceAll(/{\w+}/g, '[^/]+')}$`).test(path),
  )
  if (template === undefined) {
    if (status === 404) return undefined
    throw new Error(`the document has no ${path}, which answers ${status}`)
  }
  const steps = ['paths', template, method, 'responses', String(status), 'content', type, 'schema']
  let at: unknown = openApi
  for (const step of steps) {
    at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined
    if (at === undefined && status === 404 && step === method) return undefined
    if (at === undefined) throw new Error(`the document has no ${step} in ${steps.join(' ')}`)
  }
  return `/${steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
}

/** A class and a Gateway in the namespace infra. */
export const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: landfall.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: infra}
spec:
  gatewayClassName: edge
  listeners: [{name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}]
`

/** A route that redirects from a path, in a namespace. */
export const route = (
  namespace: string,
  path: string,
  name = 'web',
): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  parentRefs: [{name: web, namespace: infra}]
  hostnames: [${namespace}.example.com]
  rules:
    - matches: [{path: {value: ${path}}}]
      filters: [{type: RequestRedirect, requestRedirect: {hostname: elsewhere.example.com}}]
`
