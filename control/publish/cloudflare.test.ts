import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CloudflareApi } from '../../test/cloudflare-api.ts'
import type { CloudflareNamespace } from './cloudflare.ts'
import { CloudflareStore } from './cloudflare.ts'
import { encodeTable } from './encode.ts'
import { publish } from './publish.ts'
import { MAX_VALUE_BYTES, StoreError } from './store.ts'
import { storeContract } from './store-contract.ts'
import { host, table } from './table-fixture.ts'

/** A clock that goes on only by waiting. */
let now = 0
let waits: number[] = []
const runtime = {
  now: () => now,
  wait: async (milliseconds: number) => {
    waits.push(milliseconds)
    now += milliseconds
  },
  random: () => 0,
}

const open = (api: CloudflareApi, changes: Partial<CloudflareNamespace> = {}): CloudflareStore => {
  const { accountId, namespaceId, token, baseUrl } = api
  return new CloudflareStore({ accountId, namespaceId, token, baseUrl, ...changes }, runtime)
}

const entry = (key: string, ...bytes: number[]): Map<string, Uint8Array> => new Map([[key, Uint8Array.from(bytes)]])

describe('as every store', () => {
  let api: CloudflareApi
  beforeAll(async () => {
    api = await CloudflareApi.start(() => now)
  })
  afterAll(async () => {
    await api.close()
    expect(api.violations).toEqual([])
  })
  storeContract(async () => open(api))
})

describe('over the network', () => {
  let api: CloudflareApi
  beforeEach(async () => {
    waits = []
    api = await CloudflareApi.start(() => now)
  })
  afterEach(() => api.close())

  test('many entries are few requests, within the limits', async () => {
    const entries = new Map(Array.from({ length: 2500 }, (_, i) => [`shard/${i}`, Uint8Array.of(1)]))
    const store = open(api)
    await store.put(entries)
    await store.delete([...entries.keys()])
    expect(api.requests).toEqual([...Array(3).fill('PUT /bulk'), ...Array(3).fill('POST /bulk/delete')])
    expect(api.violations).toEqual([])
  })

  test('a put of more than 100 MB is several requests', async () => {
    const large = new Uint8Array(20 * 1024 * 1024)
    await open(api).put(new Map(Array.from({ length: 5 }, (_, i) => [`shard/${i}`, large])))
    expect(api.requests).toHaveLength(3)
    expect(api.entries.size).toBe(5)
    expect(api.violations).toEqual([])
  })

  test('what no namespace takes is refused before anything is sent', async () => {
    const store = open(api)
    await expect(store.put(entry('x'.repeat(513)))).rejects.toThrow(/a key may have 512 bytes/)
    const large = new Uint8Array(MAX_VALUE_BYTES + 1)
    await expect(store.put(new Map([['shard/1', large]]))).rejects.toThrow(/it has 26214401 bytes, and 26214400 fit/)
    expect(api.requests).toEqual([])
  })

  test('after 429, 5xx and broken connections it tries again, slower each time', async () => {
    api.fail(
      { type: 'status', status: 429 },
      { type: 'status', status: 500 },
      { type: 'torn', after: 'nothing' },
      { type: 'status', status: 524, body: '<html>' },
    )
    await open(api).put(entry('shard/1', 1))
    expect(api.entries.size).toBe(1)
    expect(waits).toEqual([500, 1000, 2000, 4000])
  })

  test('a connection that breaks after the write does no harm', async () => {
    api.fail({ type: 'torn', after: 'effect' })
    await open(api).put(entry('shard/1', 1))
    expect(api.entries.get('shard/1')).toEqual(Uint8Array.of(1))
  })

  test('Retry-After is kept, in seconds or as a date', async () => {
    now = Date.parse('2026-01-01T00:00:00Z')
    api.fail(
      { type: 'status', status: 429, headers: { 'retry-after': '7' } },
      { type: 'status', status: 503, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' } },
    )
    await open(api).get('shard/1')
    expect(waits).toEqual([7000, 13_000])
  })

  test('a Retry-After of minutes is told, not waited for', async () => {
    api.fail({ type: 'status', status: 429, headers: { 'retry-after': '280' } })
    await expect(open(api).list('')).rejects.toThrow(/answers 429, and asks to wait 280 s before the next request/)
    expect(waits).toEqual([])
  })

  test('it gives up after six tries, and says what failed', async () => {
    api.fail(...Array(6).fill({ type: 'status', status: 502, body: 'Bad Gateway' }))
    await expect(open(api).put(entry('gateway/infra/edge', 1))).rejects.toThrow(
      new StoreError('cannot put gateway/infra/edge in Cloudflare KV: Cloudflare answers 502, 6 times'),
    )
    expect(api.requests).toHaveLength(6)
  })

  test('what the API could not store or delete is sent again, and nothing else', async () => {
    const store = open(api)
    const entries = new Map(Array.from({ length: 5 }, (_, i) => [`shard/${i}`, Uint8Array.of(i)]))
    api.fail({ type: 'partial', keys: ['shard/1', 'shard/3'] }, { type: 'partial', keys: ['shard/3'] })
    await store.put(entries)
    expect(api.entries).toEqual(entries)
    api.fail({ type: 'partial', keys: ['shard/2'] })
    await store.delete([...entries.keys()])
    expect(api.entries.size).toBe(0)
    api.fail(...Array(6).fill({ type: 'partial', keys: ['shard/1'] }))
    await expect(store.put(entry('shard/1', 1))).rejects.toThrow(/cannot put shard\/1 .* not done after 6 tries/)
    expect(api.violations).toEqual([])
  })

  test('a key is written once a second at most', async () => {
    const store = open(api)
    for (let i = 0; i < 3; i++) await store.put(entry('gateway/infra/edge', i))
    await store.put(entry('gateway/infra/other', 1))
    expect(api.requests).toHaveLength(4)
    expect(waits).toEqual([1000, 1000])
  })

  test('a write by somebody else within the second is waited out', async () => {
    await open(api).put(entry('gateway/infra/edge', 1))
    await open(api).put(entry('gateway/infra/edge', 2))
    expect(waits).toEqual([1000])
    expect(api.entries.get('gateway/infra/edge')).toEqual(Uint8Array.of(2))
  })

  test.for<[sentence: string, changes: Partial<CloudflareNamespace>, message: RegExp]>([
    [
      'a wrong token',
      { token: 'wrong-token-wrong-token' },
      /token is not accepted \(10000: .*check CLOUDFLARE_API_TOKEN/,
    ],
    ['a wrong account', { accountId: 'nobody' }, /no such account or namespace \(10000: .*check CLOUDFLARE_ACCOUNT_ID/],
    ['a wrong namespace', { namespaceId: 'none' }, /no such account or namespace \(10000: namespace not found\)/],
  ])('%s is an error at once that says what to check', async ([, changes, message]) => {
    await expect(open(api, changes).list('')).rejects.toThrow(message)
    await expect(open(api, changes).put(entry('a', 1))).rejects.toThrow(message)
    await expect(open(api, changes).get('a')).rejects.toThrow(StoreError)
    expect(waits).toEqual([])
  })

  test('a token without the permission is an error that names it', async () => {
    api.fail({ type: 'status', status: 403 })
    await expect(open(api).list('')).rejects.toThrow(/needs the permission "Workers KV Storage: Edit"/)
  })

  test('an answer in another form is an error, not a crash', async () => {
    api.fail({ type: 'status', status: 200, body: '<html>' }, { type: 'status', status: 200, body: '{"result":{}}' })
    await expect(open(api).list('gateway/')).rejects.toThrow(/cannot list gateway\/ .* not the form/)
    await expect(open(api).list('gateway/')).rejects.toThrow(/cannot list gateway\/ .* not the form/)
  })

  test('no error has the token in it', async () => {
    const errors: unknown[] = []
    const note = (error: unknown): void => void errors.push(error)
    api.fail({ type: 'status', status: 403, body: JSON.stringify({ errors: [{ code: 1, message: `${api.token}?` }] }) })
    await open(api).list('').catch(note)
    api.fail(...Array(6).fill({ type: 'status', status: 500, body: api.token }))
    await open(api).list('').catch(note)
    await open(api, { baseUrl: `http://127.0.0.1:1/${api.token}` })
      .get('a')
      .catch(note)
    try {
      open(api, { token: `${api.token}\n` })
    } catch (error) {
      note(error)
    }
    expect(errors).toHaveLength(4)
    for (const error of errors) {
      expect(error).toBeInstanceOf(StoreError)
      expect(describeDeeply(error)).not.toContain(api.token)
    }
  })

  test('it does not follow a redirect with the token', async () => {
    const headers = { location: `${api.baseUrl}/elsewhere` }
    api.fail(...Array(6).fill({ type: 'status', status: 302, headers }))
    await expect(open(api).list('')).rejects.toThrow(StoreError)
    expect(api.requests.filter((request) => request.includes('elsewhere'))).toEqual([])
  })

  test('publishing twice writes what changed, and nothing undocumented', async () => {
    const store = open(api)
    const publishTable = async (...hostnames: string[]) => {
      const encoded = encodeTable(table({ hosts: hostnames.map((name) => host(name)) }))
      if (!encoded.ok) throw new Error('too large')
      return publish(store, [encoded.table], { now: () => now })
    }
    await publishTable('a.example.com', 'b.example.com')
    expect((await publishTable('a.example.com', 'c.example.com')).written).toHaveLength(2)
    now += 3_600_000
    expect((await publishTable('a.example.com', 'c.example.com')).collected).toHaveLength(1)
    expect([...api.entries.keys()].map((key) => key.split('/')[0]).sort()).toEqual(['gateway', 'shard', 'shard'])
    expect(api.violations).toEqual([])
  })
})

function describeDeeply(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message} ${error.stack} ${describeDeeply(error.cause)}`
}
