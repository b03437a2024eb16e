import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SeenSequences } from './seen-sequences.ts'

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-sequences-'))
  path = join(directory, 'sequences.json')
})
afterEach(() => rm(directory, { recursive: true }))

test('what was kept is read again, and nothing is left beside it', async () => {
  const sequences = new SeenSequences(path)
  expect(await sequences.read()).toEqual(new Map())
  await sequences.keep(new Map([['gateway/a/b', 1_700_000_000_000]]))
  expect(await new SeenSequences(path).read()).toEqual(new Map([['gateway/a/b', 1_700_000_000_000]]))
  expect(await readdir(directory)).toEqual(['sequences.json'])
})

test('of two processes that share a file, none lowers what the other has seen', async () => {
  await new SeenSequences(path).keep(new Map([['gateway/a/b', 5]]))
  await new SeenSequences(path).keep(
    new Map([
      ['gateway/a/b', 4],
      ['gateway/a/c', 1],
    ]),
  )
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ 'gateway/a/b': 5, 'gateway/a/c': 1 })
})

test.for(['', '{', '[]', '[1]', 'null', '7', '{"gateway/a/b":"5"}', '{"gateway/a/b":1e99}'])(
  'a file with %j is an error, not a file without sequences',
  async (text) => {
    await writeFile(path, text)
    await expect(new SeenSequences(path).read()).rejects.toThrow('has no sequences of tables')
    await expect(new SeenSequences(path).keep(new Map())).rejects.toThrow('has no sequences of tables')
    expect(await readFile(path, 'utf8')).toBe(text)
  },
)

test('a place that cannot be written is an error', async () => {
  await expect(new SeenSequences(join(directory, 'none/x')).keep(new Map())).rejects.toThrow('ENOENT')
})
