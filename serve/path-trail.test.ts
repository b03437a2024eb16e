import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pathTrail } from './path-trail.ts'

function directory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'trail-')))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

test('without links a path leads where its last name does', async () => {
  const path = directory()
  mkdirSync(join(path, 'a/b'), { recursive: true })
  expect(await pathTrail(join(path, 'a/b'))).toEqual([{ directory: join(path, 'a'), name: 'b' }])
})

test('each link on the way has a say, as in the volume of a ConfigMap', async () => {
  const path = directory()
  mkdirSync(join(path, '..2026_01'))
  writeFileSync(join(path, '..2026_01/a.yaml'), '')
  symlinkSync('..2026_01', join(path, '..data'))
  symlinkSync('..data/a.yaml', join(path, 'a.yaml'))
  expect(await pathTrail(join(path, 'a.yaml'))).toEqual([
    { directory: path, name: 'a.yaml' },
    { directory: path, name: '..data' },
    { directory: join(path, '..2026_01'), name: 'a.yaml' },
  ])
})

test('a way ends at what is missing', async () => {
  const path = directory()
  symlinkSync('gone/b', join(path, 'a'))
  expect(await pathTrail(join(path, 'a/c'))).toEqual([
    { directory: path, name: 'a' },
    { directory: path, name: 'gone' },
  ])
})

test('links in a circle end', async () => {
  const path = directory()
  symlinkSync('b', join(path, 'a'))
  symlinkSync('a', join(path, 'b'))
  expect(new Set((await pathTrail(join(path, 'a'))).map(({ name }) => name))).toEqual(new Set(['a', 'b']))
})
