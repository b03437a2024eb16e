import { createExecutionContext, env, waitOnExecutionContext } from 'cloudflare:test'
import { afterEach, expect, test } from 'vitest'
import { joinEntry, signedMessage } from '../engine/signed-root.ts'
import { Root } from '../proto/gen/route_table.ts'
import type { Config } from './config.ts'
import { Tables } from './tables.ts'

const root = (gateway: string, version: string, controller = 'landfall.dev/edge-controller'): Uint8Array =>
  Root.encode({
    schema: 1,
    gateway,
    version,
    listeners: [],
    hostShards: [],
    backendShards: [],
    settings: undefined,
    controller,
    addresses: [],
    retired: [],
    goneSince: 0,
  }).finish()

const gone = (gateway: string): Uint8Array =>
  Root.encode({ ...Root.decode(root(gateway, 'gone')), goneSince: 1 }).finish()

const put = (gateway: string, version: string): Promise<void> =>
  env.TABLES.put(`gateway/${gateway}`, root(gateway, version))
const config: Config = {
  gateways: undefined,
  controller: undefined,
  adminToken: undefined,
  refreshAfter: 1_000,
  trust: undefined,
  faults: [],
}

/** Asks at a time, and waits for what goes on in the background. */
async function ask(tables: Tables, now: number): Promise<string[]> {
  const ctx = createExecutionContext()
  const routers = await tables.current(now, ctx)
  await waitOnExecutionContext(ctx)
  return routers.map(({ gateway, version }) => `${gateway} ${version}`)
}

afterEach(async () => {
  for (const { name } of (await env.TABLES.list()).keys) await env.TABLES.delete(name)
})

test('the first request waits for the tables of all Gateways', async () => {
  await put('a/one', '1')
  await put('a/two', '1')
  expect(await ask(new Tables(env.TABLES, config), 0)).toEqual(['a/one 1', 'a/two 1'])
})

test('a deployment that names Gateways has the tables of no others', async () => {
  await put('a/one', '1')
  await put('a/two', '1')
  expect(await ask(new Tables(env.TABLES, { ...config, gateways: ['a/two'] }), 0)).toEqual(['a/two 1'])
})

test('a deployment for one controller leaves the Gateways of others alone, also one that becomes such', async () => {
  await put('a/one', '1')
  await put('a/two', '1')
  const tables = new Tables(env.TABLES, { ...config, controller: 'landfall.dev/edge-controller' })
  expect(await ask(tables, 0)).toEqual(['a/one 1', 'a/two 1'])
  await env.TABLES.put('gateway/a/two', root('a/two', '2', 'landfall.dev/gateway-controller'))
  await ask(tables, 1_000)
  expect(await ask(tables, 1_001)).toEqual(['a/one 1'])
})

test('a newer table is fetched in the background once the last look is old', async () => {
  const tables = new Tables(env.TABLES, config)
  await put('a/one', '1')
  await ask(tables, 0)
  await put('a/one', '2')
  expect(await ask(tables, 999)).toEqual(['a/one 1'])
  expect(await ask(tables, 1_000)).toEqual(['a/one 1'])
  expect(await ask(tables, 1_001)).toEqual(['a/one 2'])
})

test('many requests at once look at the store once', async () => {
  await put('a/one', '1')
  let looks = 0
  const counting = new Proxy(env.TABLES, {
    get: (target, name: keyof KVNamespace) => {
      if (name === 'list') looks++
      return target[name].bind(target)
    },
  })
  const tables = new Tables(counting, config)
  await Promise.all(Array.from({ length: 50 }, () => ask(tables, 0)))
  expect(looks).toBe(1)
})

test('a root that is gone from the store is missed for as long as it may only be a fault', async () => {
  const tables = new Tables(env.TABLES, config)
  await put('a/one', '1')
  await put('a/two', '1')
  await ask(tables, 0)
  await env.TABLES.delete('gateway/a/two')
  await ask(tables, 2_000)
  expect(await ask(tables, 2_001)).toEqual(['a/one 1', 'a/two 1'])
  expect(tables.status().problems).toEqual(['gateway/a/two: is not in the store'])
  // A Worker that slept for longer than a removed Gateway leaves its empty root has missed that root.
  await ask(tables, 1_000_000)
  expect(await ask(tables, 1_000_001)).toEqual(['a/one 1'])
  expect(tables.status().problems).toEqual([])
})

test('a root under the name of another Gateway is not taken', async () => {
  await env.TABLES.put('gateway/a/one', root('a/other', '1'))
  const tables = new Tables(env.TABLES, config)
  expect(await ask(tables, 0)).toEqual([])
  expect(tables.status().problems).toEqual(['gateway/a/one: holds the table of a/other'])
})

test('a Worker without a table looks again after a second', async () => {
  const tables = new Tables(env.TABLES, { ...config, refreshAfter: 30_000 })
  expect(await ask(tables, 0)).toEqual([])
  await put('a/one', '1')
  expect(await ask(tables, 999)).toEqual([])
  expect(await ask(tables, 1_000)).toEqual(['a/one 1'])
})

test('a Gateway whose empty root has been seen goes with it', async () => {
  const tables = new Tables(env.TABLES, config)
  await put('a/one', '1')
  await put('a/two', '1')
  await ask(tables, 0)
  await env.TABLES.put('gateway/a/two', gone('a/two'))
  await ask(tables, 2_000)
  await env.TABLES.delete('gateway/a/two')
  await ask(tables, 4_000)
  expect(await ask(tables, 4_001)).toEqual(['a/one 1'])
  expect(tables.status().problems).toEqual([])
})

const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
const publicKey = new Uint8Array((await crypto.subtle.exportKey('raw', pair.publicKey)) as ArrayBuffer)
const trusting = { ...config, trust: { keys: [{ id: 'k', publicKey }], floor: 0 } }

async function putSigned(gateway: string, version: string, sequence: number, bytes = root(gateway, version)) {
  const key = `gateway/${gateway}`
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const message = signedMessage(key, { sequence, notAfter: 0 }, digest)
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, message))
  await env.TABLES.put(key, joinEntry(bytes, { sequence, notAfter: 0, signatures: [{ keyId: 'k', signature }] }))
}

test('a Worker with pinned keys serves what they have signed, and keeps it against anything else', async () => {
  const tables = new Tables(env.TABLES, trusting)
  await put('a/one', 'unsigned')
  expect(await ask(tables, 0)).toEqual([])
  expect(tables.status().problems).toEqual(['gateway/a/one: the root is not signed'])

  await putSigned('a/one', '1', 8)
  expect(await ask(tables, 2_000)).toEqual(['a/one 1'])
  expect(tables.status()).toMatchObject({ problems: [], gateways: [{ gateway: 'a/one', version: '1', sequence: 8 }] })

  await putSigned('a/one', '0', 7)
  await ask(tables, 4_000)
  expect(await ask(tables, 4_001)).toEqual(['a/one 1'])
  expect(tables.status().problems).toEqual(['gateway/a/one: the root has sequence 7, and 8 was seen already'])

  await putSigned('a/one', '0', 9)
  await ask(tables, 6_000)
  expect(await ask(tables, 6_001)).toEqual(['a/one 0'])
  expect(tables.status().problems).toEqual([])
})

test('a Worker with pinned keys gives up a Gateway only for a signed root that says so', async () => {
  const tables = new Tables(env.TABLES, trusting)
  await putSigned('a/one', '1', 1)
  await putSigned('a/two', '1', 1)
  await ask(tables, 0)
  await env.TABLES.delete('gateway/a/two')
  await ask(tables, 1_000_000)
  expect(await ask(tables, 1_000_001)).toEqual(['a/one 1', 'a/two 1'])
  expect(tables.status().problems).toEqual(['gateway/a/two: is not in the store'])
  await putSigned('a/two', 'gone', 2, gone('a/two'))
  await ask(tables, 1_002_000)
  await env.TABLES.delete('gateway/a/two')
  await ask(tables, 1_004_000)
  expect(await ask(tables, 1_004_001)).toEqual(['a/one 1'])
})
