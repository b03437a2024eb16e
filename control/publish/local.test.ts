import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalStore } from './local.ts'
import { storeContract } from './store-contract.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-'))
})
afterAll(() => rm(directory, { recursive: true }))

storeContract(async () => new LocalStore(directory, 'contract'))

test('two writers at a time do not fail each other', async () => {
  const stores = [new LocalStore(directory, 'both'), new LocalStore(directory, 'both')]
  const entries = (writer: number): [string, Uint8Array][] =>
    Array.from({ length: 50 }, (_, i) => [`shard/${writer}-${i}`, Uint8Array.of(i)])
  await Promise.all(stores.map((store, i) => store.put(new Map(entries(i)))))
  for (const store of stores) expect(await store.list('shard/')).toHaveLength(100)
  await Promise.all(stores.map((store) => store.close()))
}, 60_000)

const wranglerFile = fileURLToPath(new URL('../../node_modules/wrangler/bin/wrangler.js', import.meta.url))

/** Runs wrangler in `directory`, without network and without sending metrics. */
async function wrangler(...args: string[]): Promise<string> {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' }
  const { stdout } = await promisify(execFile)(process.execPath, [wranglerFile, ...args], { cwd: directory, env })
  return stdout
}

test("it is the state that wrangler's own commands read and write", async () => {
  await writeFile(
    join(directory, 'wrangler.toml'),
    'name = "test"\ncompatibility_date = "2026-10-01"\n[[kv_namespaces]]\nbinding = "TABLES"\nid = "shared"\n',
  )
  const store = new LocalStore(directory, 'shared')
  await store.put(new Map([['gateway/infra/edge', Buffer.from('from the store')]]))
  await store.close()
  expect(
    await wrangler('kv', 'key', 'get', '--local', '--binding', 'TABLES', '--text', 'gateway/infra/edge'),
  ).toContain('from the store')
  await wrangler('kv', 'key', 'put', '--local', '--binding', 'TABLES', 'gateway/infra/other', 'from wrangler')
  const again = new LocalStore(directory, 'shared')
  expect(Buffer.from((await again.get('gateway/infra/other')) ?? []).toString()).toBe('from wrangler')
  await again.close()
}, 60_000)
