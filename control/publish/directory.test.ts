import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DirectoryStore } from './directory.ts'
import { StoreError } from './store.ts'
import { storeContract } from './store-contract.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-'))
})
afterAll(() => rm(directory, { recursive: true }))

storeContract(async () => new DirectoryStore(directory))

const entry = (key: string): Map<string, Uint8Array> => new Map([[key, Uint8Array.of(7)]])

test('an entry is the file of its name', async () => {
  await new DirectoryStore(directory).put(entry('gateway/infra/edge.example'))
  expect([...(await readFile(join(directory, 'gateway/infra/edge.example')))]).toEqual([7])
})

test('no key leads out of the directory', async () => {
  const inner = join(directory, 'inner')
  await new DirectoryStore(inner).put(entry('../../out'))
  expect(await readdir(inner)).toEqual(['%2E.'])
})

test('a temporary file is no entry, and is removed once it must have been left behind', async () => {
  const path = join(directory, '.new-left')
  await writeFile(path, 'half an ent')
  const now = Date.now()
  const store = new DirectoryStore(directory, () => now)
  expect(await store.list('')).not.toContain('.new-left')
  await store.put(entry('x/y'))
  expect(await readdir(directory)).toContain('.new-left')
  await utimes(path, now / 1000 - 4000, now / 1000 - 4000)
  await new DirectoryStore(directory, () => now).put(entry('x/y'))
  expect(await readdir(directory)).not.toContain('.new-left')
})

test('an error says what was tried with which file', async () => {
  await writeFile(join(directory, 'file'), '')
  const store = new DirectoryStore(join(directory, 'file'))
  await expect(store.put(entry('a/b'))).rejects.toThrow(StoreError)
  await expect(store.put(entry('a/b'))).rejects.toThrow(/^cannot list .*\/file: ENOTDIR/)
  await expect(store.get('a/b')).rejects.toThrow(/^cannot read .*\/file\/a\/b: ENOTDIR/)
})
