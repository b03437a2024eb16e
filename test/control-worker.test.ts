import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryStore } from '../control/publish/memory.ts'
import { tableKeyOf } from '../control/publish/sign-key.ts'
import { storedRoots } from '../control/publish/stored.ts'
import { Audit } from '../control/service/audit.ts'
import { type D1, D1Sql } from '../control/service/d1-sql.ts'
import { type Kv, KvStore } from '../control/service/kv-store.ts'
import { prepare } from '../control/service/schema.ts'
import { type Answer, type Ask, checked, gateway, route, TestService } from '../control/service/service-fixture.ts'
import { Tokens, verbs } from '../control/service/tokens.ts'
import { readRoot } from '../engine/table.ts'
import { readTableKey } from '../engine/table-key.ts'
import { TrustedRoots } from '../engine/trusted-roots.ts'

// The same app on workerd, with D1 and Workers KV.

const { privateKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

let miniflare: Miniflare
let store: KvStore
let token = ''

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: ['control/service/worker.ts'],
    ...{ bundle: true, format: 'esm', target: 'es2024', write: false, logLevel: 'silent' },
    external: ['node:*', 'cloudflare:*'],
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
  })
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...{ modules: true, script: outputFiles[0]?.text ?? '', compatibilityDate: '2026-10-01' },
      ...{ compatibilityFlags: ['nodejs_compat'], cf: false, kvNamespaces: ['TABLES'], d1Databases: ['HISTORY'] },
      bindings: { ADDRESSES: '192.0.2.1', SIGN_KEY: privateKey },
    }),
  )
  const database = (await miniflare.getD1Database('HISTORY')) as unknown as D1
  store = new KvStore((await miniflare.getKVNamespace('TABLES')) as unknown as Kv)
  const sql = new D1Sql(database)
  await prepare(sql)
  const tokens = new Tokens(sql, new Audit(sql, Date.now), Date.now)
  const wanted = { name: 'test', sets: ['*'], verbs: [...verbs], expiresAt: undefined }
  const { words, statements } = await tokens.create(wanted, 'the test', randomBytes)
  await sql.write(statements)
  token = words
}, 60_000)

afterAll(() => miniflare.dispose())

async function ask(
  path: string,
  { method = 'GET', body, type = 'application/yaml', headers = {} }: Ask = {},
): Promise<Answer> {
  const all = { authorization: `Bearer ${token}`, 'content-type': type, ...headers }
  const response = await miniflare.dispatchFetch(`http://control${path}`, {
    method,
    headers: all,
    ...(body === undefined ? {} : { body }),
  })
  const { status } = response
  return checked(
    method,
    path,
    new Response(await response.arrayBuffer(), { status, headers: new Headers([...response.headers]) }),
  )
}

const push = (set: string, body: string, headers = {}): Promise<Answer> =>
  ask(`/v1/sets/${set}`, { method: 'PUT', body, headers })

test('a push to the Worker publishes the tables that a push to Node does', async () => {
  expect((await push('infra', gateway)).body).toMatchObject({ version: 1, findings: [] })
  expect((await push('shop', route('shop', '/one'))).body).toMatchObject({
    version: 1,
    changes: [{ routes: { added: ['HTTPRoute shop/web'] } }],
  })
  const node = await TestService.start({ store: new MemoryStore() })
  await node.push('infra', gateway)
  await node.push('shop', route('shop', '/one'))
  const version = async (of: Parameters<typeof storedRoots>[0]) =>
    (await storedRoots(of)).get('gateway/infra/web')?.version
  expect(await version(store)).toBe(await version(node.store))
})

test('what it publishes is signed, so that readers who have pinned the key take it', async () => {
  const pinned = readTableKey(await tableKeyOf(privateKey)) ?? expect.fail('no key')
  const trusted = new TrustedRoots({ keys: [pinned], floor: 0 }, crypto.subtle)
  const key = 'gateway/infra/web'
  const entry = (await store.get(key)) ?? expect.fail('nothing is published')
  expect(readRoot(await trusted.rootOf(key, entry, Date.now())).gateway).toBe('infra/web')
})

test('it plans, refuses, rolls back, and tells of it as on Node', async () => {
  const before = (await storedRoots(store)).get('gateway/infra/web')?.version
  const plan = await ask('/v1/sets/shop/plan', { method: 'POST', body: route('shop', '/two') })
  expect(plan.body).toMatchObject({ current: 1, changes: [{ routes: { changed: ['HTTPRoute shop/web'] } }] })
  expect((await push('shop', route('shop', '/two'), { 'if-match': '"7"' })).status).toBe(412)
  expect((await push('shop', 'kind: [')).body.problems).toMatchObject([{ file: 'shop/manifests.yaml' }])
  expect((await push('thief', route('shop', '/'))).status).toBe(409)
  expect((await push('shop', route('shop', '/two'), { 'if-match': '"1"' })).body.version).toBe(2)
  expect((await storedRoots(store)).get('gateway/infra/web')?.version).not.toBe(before)
  expect((await ask('/v1/sets/shop/rollback', { method: 'POST', body: '' })).body).toMatchObject({
    version: 3,
    rollbackTo: 1,
  })
  expect((await storedRoots(store)).get('gateway/infra/web')?.version).toBe(before)
  expect((await ask('/v1/sets/shop/versions')).body.versions).toHaveLength(3)
  const diff = await ask('/v1/sets/shop/diff?from=1&to=2', { method: 'POST' })
  expect(diff.body.gateways).toMatchObject([{ gateway: 'infra/web' }])
  expect((await ask('/v1/status')).body.objects).toHaveLength(3)
  expect((await ask('/v1/audit')).body.entries.length).toBeGreaterThan(8)
  expect((await ask('/v1/sets', { headers: { authorization: 'Bearer no' } })).status).toBe(401)
})

test('a set of some MB is kept in D1 and comes back whole', async () => {
  const many = (word: string): string =>
    Array.from({ length: 1_000 }, (_, n) => route('large', `/${word}-${n}`, `route-${n}`)).join(
      `# ${'x'.repeat(1_500)}\n---\n`,
    )
  expect((await push('large', many('one'))).body).toMatchObject({ objects: 1_000 })
  const before = (await storedRoots(store)).get('gateway/infra/web')?.version
  await push('large', many('two'))
  await ask('/v1/sets/large/rollback', { method: 'POST', body: '' })
  expect((await storedRoots(store)).get('gateway/infra/web')?.version).toBe(before)
}, 60_000)

test('of pushes at once none is lost', async () => {
  const answers = await Promise.all([1, 2].map((n) => push('shop', route('shop', `/at-once-${n}`))))
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(new Set(answers.map(({ body }) => body.version)).size).toBe(2)
})
