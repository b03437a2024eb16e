import { createExecutionContext, env, waitOnExecutionContext } from 'cloudflare:test'
import { afterEach, expect, test } from 'vitest'
import { Root } from '../proto/gen/route_table.ts'
import { Tables } from './tables.ts'

const root = (gateway: string, version: string): Uint8Array =>
  Root.encode({
    schema: 1,
    gateway,
    version,
    listeners: [],
    hostShards: [],
    backendShards: [],
    settings: undefined,
    addresses: [],
    retired: [],
    goneSince: 0,
  }).finish()

const put = (gateway: string, version: string): Promise<void> =>
  env.TABLES.put(`gateway/${gateway}`, root(gateway, version))
const config = { gateways: undefined, adminToken: undefined, refreshAfter: 1_000 }

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
