import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Loaded } from '../kube/loaded.ts'
import { grace } from '../kube/manifest-cache.ts'
import { ManifestReader, readManifests } from '../kube/manifests.ts'
import { follow } from './follow.ts'

const namespace = (name: string, label = 'a'): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {app: ${label}}\n`

function directory(files: Readonly<Record<string, string>>): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'follow-')))
  onTestFinished(() => rmSync(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}

const labels = ({ objects }: Pick<Loaded, 'objects'>): string[] =>
  objects.map(({ metadata }) => `${metadata.name} ${new Map(Object.entries(metadata.labels)).get('app')}`).toSorted()

/** Follows paths until the test is over. */
async function followed(...paths: string[]) {
  const reader = new ManifestReader(paths)
  let last: Pick<Loaded, 'objects'> = { objects: [] }
  const changes: (ReadonlySet<string> | undefined)[] = []
  const apply = async (changed?: ReadonlySet<string>): Promise<void> => {
    changes.push(changed)
    last = await reader.read(changed)
  }
  const following = await follow(paths, apply, (error) => expect.unreachable(String(error)))
  onTestFinished(() => following.close())
  return {
    changes,
    reads: (expected: readonly string[]) => vi.waitFor(() => expect(labels(last)).toEqual(expected), patience),
  }
}

/** When what has changed has been looked at for the last time. */
const afterwards = (): Promise<void> => sleep(3 * grace)

/** For machines that have other things to do. */
const patience = { timeout: 10_000, interval: 5 }

test('a file that is written, or moved to its place, is told by the name that readers have for it', async () => {
  const path = directory({ 'm/x.yaml': namespace('a'), 'm/y.yaml': namespace('b') })
  const { reads, changes } = await followed(join(path, 'm'))
  writeFileSync(join(path, 'm/x.yaml'), namespace('a', 'new'))
  await reads(['a new', 'b a'])
  writeFileSync(join(path, 'm/.draft'), namespace('b', 'new'))
  renameSync(join(path, 'm/.draft'), join(path, 'm/y.yaml'))
  await reads(['a new', 'b new'])
  const told = new Set(changes.flatMap((changed) => [...(changed ?? [])]))
  expect(told).toEqual(new Set([join(path, 'm/x.yaml'), join(path, 'm/y.yaml')]))
})

test('files and directories come and go', async () => {
  const path = directory({ 'x.yaml': namespace('a') })
  const { reads } = await followed(path)
  mkdirSync(join(path, 'd/e'), { recursive: true })
  writeFileSync(join(path, 'd/e/y.yaml'), namespace('b'))
  await reads(['a a', 'b a'])
  writeFileSync(join(path, 'd/e/y.yaml'), namespace('b', 'new'))
  await reads(['a a', 'b new'])
  rmSync(join(path, 'd'), { recursive: true })
  await reads(['a a'])
  mkdirSync(join(path, 'd'))
  writeFileSync(join(path, 'd/z.yaml'), namespace('c'))
  await reads(['a a', 'c a'])
  writeFileSync(join(path, 'd/z.yaml'), namespace('c', 'new'))
  await reads(['a a', 'c new'])
})

test('a directory that takes the place of another of its name is followed', async () => {
  const path = directory({ 'x.yaml': namespace('a'), 'd/y.yaml': namespace('b') })
  const { reads } = await followed(path)
  rmSync(join(path, 'd'), { recursive: true })
  mkdirSync(join(path, 'd'))
  writeFileSync(join(path, 'd/y.yaml'), namespace('b', 'second'))
  await reads(['a a', 'b second'])
  await afterwards()
  writeFileSync(join(path, 'd/y.yaml'), namespace('b', 'third'))
  await reads(['a a', 'b third'])
})

test('a new directory is followed while changes elsewhere never cease', async () => {
  const path = directory({ 'x.yaml': namespace('a') })
  const { reads } = await followed(path)
  const ceaseless = setInterval(() => writeFileSync(join(path, 'x.yaml'), namespace('a')), 5)
  onTestFinished(() => clearInterval(ceaseless))
  mkdirSync(join(path, 'd'))
  writeFileSync(join(path, 'd/y.yaml'), namespace('b'))
  await reads(['a a', 'b a'])
  await afterwards()
  writeFileSync(join(path, 'd/y.yaml'), namespace('b', 'new'))
  await reads(['a a', 'b new'])
})

test('what was half-written counts in the end though nothing more is heard of it', async () => {
  const path = directory({ 'x.yaml': `${namespace('a')}---\n${namespace('b')}` })
  const { reads } = await followed(path)
  writeFileSync(join(path, 'x.yaml'), namespace('b'))
  await reads(['b a'])
})

test('the volume of a ConfigMap is followed from version to version', async () => {
  const path = directory({ '..1/x.yaml': namespace('a') })
  symlinkSync('..1', join(path, '..data'))
  symlinkSync('..data/x.yaml', join(path, 'x.yaml'))
  for (const followedPath of [path, join(path, 'x.yaml')]) {
    const { reads } = await followed(followedPath)
    for (const version of ['second', 'third']) {
      mkdirSync(join(path, `..${version}`), { recursive: true })
      writeFileSync(join(path, `..${version}/x.yaml`), namespace('a', version))
      symlinkSync(`..${version}`, join(path, '..data_tmp'))
      renameSync(join(path, '..data_tmp'), join(path, '..data'))
      await reads([`a ${version}`])
    }
  }
})

test('a link to a file elsewhere is followed to where that file is written', async () => {
  const path = directory({ 'm/y.yaml': namespace('b'), 'elsewhere/x.yaml': namespace('a') })
  symlinkSync('../elsewhere/x.yaml', join(path, 'm/x.yaml'))
  const { reads } = await followed(join(path, 'm'))
  writeFileSync(join(path, 'elsewhere/x.yaml'), namespace('a', 'new'))
  await reads(['a new', 'b a'])
})

test('a path that is not there yet is followed once it is, and so is another that takes its place', async () => {
  const path = directory({ 'one/m/x.yaml': namespace('a', 'one'), 'two/m/x.yaml': namespace('a', 'two') })
  const { reads } = await followed(join(path, 'current/m'))
  symlinkSync('one', join(path, 'current'))
  await reads(['a one'])
  symlinkSync('two', join(path, 'next'))
  renameSync(join(path, 'next'), join(path, 'current'))
  await reads(['a two'])
  writeFileSync(join(path, 'two/m/x.yaml'), namespace('a', 'new'))
  await reads(['a new'])
})

test('a single file is followed, and its neighbours are not', async () => {
  const path = directory({ 'x.yaml': namespace('a'), 'y.yaml': namespace('b') })
  const { reads, changes } = await followed(join(path, 'x.yaml'))
  const before = changes.length
  writeFileSync(join(path, 'y.yaml'), namespace('b', 'new'))
  writeFileSync(join(path, 'x.yaml'), namespace('a', 'new'))
  await reads(['a new'])
  expect(changes[before]).toEqual(new Set([join(path, 'x.yaml')]))
})

test('changes are applied one after the other, and one that fails keeps none back', async () => {
  const path = directory({ 'x.yaml': namespace('a') })
  let running = 0
  let applied = 0
  const failures: unknown[] = []
  const apply = async (): Promise<void> => {
    expect(++running).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    if (applied++ > 0) throw new Error('no')
  }
  const following = await follow([path], apply, (error) => failures.push(error))
  for (let label = 0; applied < 5; label++) {
    writeFileSync(join(path, 'x.yaml'), namespace('a', String(label)))
    const before = applied
    await vi.waitFor(() => expect(applied).toBeGreaterThan(before), patience)
  }
  await following.close()
  expect(failures).toEqual(Array(applied - 1).fill(new Error('no')))
})

test('what cannot be applied at first is not followed', async () => {
  const path = directory({ 'x.yaml': namespace('a') })
  let applied = 0
  const apply = async (): Promise<void> => {
    applied++
    throw new Error('no')
  }
  await expect(follow([path], apply, (error) => expect.unreachable(String(error)))).rejects.toThrow('no')
  writeFileSync(join(path, 'x.yaml'), namespace('a', 'new'))
  await afterwards()
  expect(applied).toBe(1)
})

type Action = (path: string) => void
const write = (file: string, label: string): void => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, namespace(basename(file, '.yaml'), label))
}
const move = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true })
  if (existsSync(from) && existsSync(dirname(to))) renameSync(from, to)
}
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.tuple(fc.constantFrom('a.yaml', 'b.yaml', 'd/c.yaml', 'd/e/f.yaml'), fc.constantFrom('one', 'two', 'three')).map(
    ([name, label]): Action =>
      (path) =>
        write(join(path, name), label),
  ),
  fc.constantFrom('a.yaml', 'd/c.yaml', 'd', 'd/e').map(
    (name): Action =>
      (path) =>
        rmSync(join(path, name), { recursive: true, force: true }),
  ),
  fc.constantFrom(['d', 'g'] as const, ['g', 'd'] as const, ['d/e', 'h'] as const, ['h', 'd/e'] as const).map(
    ([from, to]): Action =>
      (path) =>
        move(join(path, from), join(path, to)),
  ),
)

test('in the end a follower has read what there is, whatever was done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), fc.boolean(), async (actions, isSlow) => {
      const path = mkdtempSync(join(tmpdir(), 'follow-'))
      // What was in a directory stays when nothing at all is in it any more.
      write(join(path, 'one.yaml'), 'one')
      const reader = new ManifestReader([path])
      let last: Pick<Loaded, 'objects'> = { objects: [] }
      const apply = async (changed?: ReadonlySet<string>): Promise<void> => {
        last = await reader.read(changed)
      }
      const following = await follow([path], apply, (error) => expect.unreachable(String(error)))
      try {
        for (const action of actions) {
          action(path)
          if (isSlow) await sleep(4)
        }
        const { objects } = await readManifests([path])
        await vi.waitFor(() => expect(labels(last)).toEqual(labels({ objects })), patience)
      } finally {
        await following.close()
        rmSync(path, { recursive: true })
      }
    }),
    { numRuns: 15, endOnFailure: true },
  )
})
