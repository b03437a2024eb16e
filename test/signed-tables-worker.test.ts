import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeTable } from '../control/publish/encode.ts'
import { publish } from '../control/publish/publish.ts'
import type { Signer } from '../control/publish/sign-key.ts'
import type { Store } from '../control/publish/store.ts'
import type { GatewayTable } from '../control/table.ts'
import { type Edge, gateway, startEdge } from './edge.ts'
import { host, listener, redirect, rule } from './engine-tables.ts'
import { forgeries, type Loot, type SigningKey, signatureOf, signedAgain, signingKey } from './table-forgeries.ts'

// What docs/security.md says of a Worker with TABLE_KEYS, on workerd.

const key = `gateway/${gateway}`

let running: Edge
let one: SigningKey
let two: SigningKey

beforeEach(async () => {
  ;[one, two] = await Promise.all([signingKey(), signingKey()])
  running = await startEdge({ connector: false, variables: { TABLE_KEYS: one.pinned } })
})
afterEach(() => running.close())

/** Redirects every request to `hostname`. */
function redirecting(hostname: string, of = gateway): GatewayTable {
  return {
    gateway: of,
    controller: 'landfall.dev/edge-controller',
    addresses: [],
    listeners: [listener()],
    hosts: [host({ rules: [rule({ filters: [redirect({ hostname })] })] })],
    backends: [],
    settings: { hideReason: false, trustedHops: 0, clientCertificate: '' },
  }
}

const storeOf = (entries: Map<string, Uint8Array>): Store => ({
  get: async (name) => entries.get(name),
  list: async (prefix) => [...entries.keys()].filter((name) => name.startsWith(prefix)),
  put: async (more) => {
    for (const [name, bytes] of more) entries.set(name, bytes)
  },
  delete: async (names) => {
    for (const name of names) entries.delete(name)
  },
  close: async () => {},
})

async function publishAll(tables: readonly GatewayTable[], signer: Signer | undefined = one.signer): Promise<void> {
  const encoded = tables.map((table) => {
    const result = encodeTable(table)
    if (!result.ok) throw new Error('too large')
    return result.table
  })
  await publish(storeOf(running.entries), encoded, { now: Date.now, signer, validFor: signer && 86_400 })
  await running.admin('refresh', 'POST')
}

const entry = (name = key): Uint8Array => running.entries.get(name) ?? new Uint8Array()

async function put(bytes: Uint8Array): Promise<void> {
  running.entries.set(key, bytes)
  await running.admin('refresh', 'POST')
}

/** Where a request is sent, or why nowhere. */
async function served(): Promise<string> {
  const { headers } = await running.ask({ path: '/' })
  return headers.location ?? String(headers['landfall-reason'])
}

async function problems(): Promise<readonly string[]> {
  const metrics = (await running.admin('metrics')).body
  const { problems } = JSON.parse((await running.admin('health')).body)
  expect(metrics).toMatch(new RegExp(`^landfall_table_problems ${problems.length}$`, 'm'))
  return problems
}

async function loot(): Promise<Loot> {
  await publishAll([redirecting('old.test'), redirecting('other.test', 'infra/other')])
  const older = entry()
  await publishAll([redirecting('new.test'), redirecting('other.test', 'infra/other')])
  return { key, older, current: entry(), other: entry('gateway/infra/other'), own: two.signer }
}

test('what a pinned key has signed is served, whatever comes in its place', async () => {
  const stolen = await loot()
  expect([await served(), await problems()]).toEqual(['http://new.test/', []])
  for (const { name, why, forge } of forgeries) {
    await put(await forge(stolen))
    expect(await served(), name).toBe('http://new.test/')
    expect(await problems(), name).toEqual([expect.stringContaining(why)])
    await put(stolen.current)
    expect(await problems(), name).toEqual([])
  }
})

test('a Worker that starts anew serves nothing that is forged, and says why', async () => {
  const stolen = await loot()
  running.entries.delete('gateway/infra/other')
  for (const { name, why, forge } of forgeries) {
    // Only who has seen the newest knows that it is not: what a floor is for.
    if (why === 'was seen already') continue
    running.entries.set(key, await forge(stolen))
    await running.restart()
    expect(await served(), name).toBe('no-table')
    expect(await problems(), name).toEqual([expect.stringContaining(why)])
  }
})

test('a Worker that starts anew takes an older table, unless it is below the floor', async () => {
  const { older, current } = await loot()
  running.entries.set(key, older)
  await running.restart()
  expect(await served()).toBe('http://old.test/')

  await running.restart({ TABLE_KEYS: one.pinned, TABLE_FLOOR: String(signatureOf(current).sequence) })
  expect(await served()).toBe('no-table')
  expect(await problems()).toContainEqual(expect.stringContaining('below the floor'))
  await put(current)
  expect(await served()).toBe('http://new.test/')
})

test('a table whose time is over is not taken, and one in use serves on', async () => {
  await publishAll([redirecting('new.test')])
  const soon = Math.ceil(Date.now() / 1000) + 1
  const shortLived = await signedAgain(key, entry(), one, {
    sequence: signatureOf(entry()).sequence + 1,
    notAfter: soon,
  })
  await put(shortLived)
  expect(await problems()).toEqual([])
  await expect.poll(() => Date.now() / 1000, { timeout: 5_000 }).toBeGreaterThan(soon)
  await put(shortLived)
  expect(await served()).toBe('http://new.test/')
  expect(await problems()).toEqual([expect.stringContaining('was valid until')])
  await running.restart()
  expect(await served()).toBe('no-table')
})

test('a root that is deleted takes nothing from a Worker that runs', async () => {
  await loot()
  running.entries.delete(key)
  await running.admin('refresh', 'POST')
  expect(await served()).toBe('http://new.test/')
  expect(await problems()).toEqual([`${key}: is not in the store`])
})

test('a shard that is changed is not taken, though the root that names it is signed', async () => {
  await publishAll([redirecting('old.test')])
  const before = new Map(running.entries)
  await publishAll([redirecting('new.test')])
  const after = new Map(running.entries)
  const [shard = ''] = [...after.keys()].filter((name) => !before.has(name))
  running.entries.clear()
  for (const [name, bytes] of before) running.entries.set(name, bytes)
  await running.restart()
  expect(await served()).toBe('http://old.test/')
  running.entries.set(shard, after.get(shard)?.map((byte) => byte ^ 1) ?? new Uint8Array())
  await put(after.get(key) ?? new Uint8Array())
  expect(await served()).toBe('http://old.test/')
  expect((await problems()).join()).toContain('the hash that names it')
})

test('an older table that is published again is served', async () => {
  await publishAll([redirecting('old.test')])
  await publishAll([redirecting('new.test')])
  await publishAll([redirecting('old.test')])
  expect([await served(), await problems()]).toEqual(['http://old.test/', []])
})

test('a key is changed without a request lost: pin both, sign with the new one, unpin the old one', async () => {
  await publishAll([redirecting('old.test')])
  await running.restart({ TABLE_KEYS: `${one.pinned},${two.pinned}` })
  expect([await served(), await problems()]).toEqual(['http://old.test/', []])
  await publishAll([redirecting('new.test')], two.signer)
  expect([await served(), await problems()]).toEqual(['http://new.test/', []])
  const leaked = await signedAgain(key, entry(), one, { sequence: signatureOf(entry()).sequence + 9, notAfter: 0 })
  await running.restart({ TABLE_KEYS: two.pinned })
  expect([await served(), await problems()]).toEqual(['http://new.test/', []])
  // The old key is worth nothing any more.
  await put(leaked)
  expect(await problems()).toEqual([expect.stringContaining('that key is not pinned')])
})

test('keys that cannot be read make a Worker take nothing, not everything', async () => {
  await publishAll([redirecting('new.test')])
  await running.restart({ TABLE_KEYS: 'nonsense' })
  expect(await served()).toBe('no-table')
  expect((await problems())[0]).toContain('key 1 of TABLE_KEYS is not')
})

test('a Worker without pinned keys takes signed tables and others', async () => {
  await running.restart({})
  await publishAll([redirecting('signed.test')])
  expect(await served()).toBe('http://signed.test/')
  await publishAll([redirecting('unsigned.test')], undefined)
  expect(await served()).toBe('http://unsigned.test/')
})
