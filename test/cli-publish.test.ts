import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { landfall, type Output, run } from './serve-rig.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-publish-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** Without a Gateway of ours. */
const nothing = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n'

const publish = (store: string, ...options: readonly string[]): Promise<Output> =>
  run(landfall, ['publish', '-f', 'examples/quickstart', '--to', store, ...options])

const publishNothing = (store: string, ...options: readonly string[]): Promise<Output> =>
  run(landfall, ['publish', '-f', '-', '--to', store, ...options], nothing)

test('publish of manifests without a Gateway leaves a store that has tables as it is, and names what would go', async () => {
  const place = join(directory, 'kept')
  await publish(`dir:${place}`)
  for (const options of [[], ['--dry-run'], ['-o', 'json']]) {
    const { code, stdout, stderr } = await publishNothing(`dir:${place}`, ...options)
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(/would go: shop\/web; --allow-empty/)])
  }
  expect((await publish(`dir:${place}`)).stdout).toMatch(/nothing to write/)
})

test('publish --allow-empty takes the tables away, and what is gone already needs no leave', async () => {
  const place = join(directory, 'cleared')
  await publish(`dir:${place}`)
  const { code, stdout } = await publishNothing(`dir:${place}`, '--allow-empty')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/- HTTPRoute shop\/storefront\n[\s\S]*wrote 1 entry/)])
  expect(await publishNothing(`dir:${place}`)).toMatchObject({ code: 0 })
})

test('publish of nothing into a store without tables is nothing to refuse', async () => {
  const place = join(directory, 'empty')
  expect(await publishNothing(`dir:${place}`)).toMatchObject({ code: 0 })
  await expect(readdir(place)).rejects.toThrow('ENOENT')
})
