import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { Loaded } from './loaded.ts'
import { grace } from './manifest-cache.ts'
import { ManifestReader } from './manifests.ts'

const namespace = (name: string, label = 'a'): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {app: ${label}}\n`

let writes = 0
/** At a time long ago, and another than that of all writes before. */
function writeSettled(file: string, text: string): void {
  writeFileSync(file, text)
  utimesSync(file, ++writes, writes)
}

/** A directory with these files and a reader that has read it, at a time that only `pass` moves. */
async function watched(files: Readonly<Record<string, string>>) {
  const path = mkdtempSync(join(tmpdir(), 'manifests-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  const at = (name: string): string => join(path, name)
  for (const [name, text] of Object.entries(files)) writeSettled(at(name), text)
  let now = Date.now()
  const reader = new ManifestReader([path], { now: () => now })
  const first = await reader.read()
  return {
    at,
    first,
    reader,
    write: (name: string, text: string): void => writeSettled(at(name), text),
    read: (...changed: string[]): Promise<Loaded> => reader.read(new Set(changed.map(at))),
    pass: (): void => {
      now += grace
    },
  }
}

const labels = ({ objects }: Loaded): string[] =>
  objects.map(({ metadata }) => `${metadata.name} ${new Map(Object.entries(metadata.labels)).get('app')}`).toSorted()

test.for<[string, string]>([
  ['is empty', ''],
  ['ends in the middle of a line', `${namespace('a', 'new')}---\n${namespace('b', 'new').slice(0, -2)}`],
  ['lacks an object', namespace('a', 'new')],
  ['does not parse', `${namespace('a', 'new')}---\nkind: [\n`],
  ['holds what is not valid', `${namespace('a', 'new')}---\n${namespace('b', '[')}`],
])('a file that %s counts only when it stays so', async ([, text]) => {
  const { first, write, read, pass } = await watched({ 'x.yaml': `${namespace('a')}---\n${namespace('b')}` })
  write('x.yaml', text)
  expect(await read('x.yaml')).toBe(first)
  expect(await read()).toBe(first)
  pass()
  const counted = await read()
  expect(counted).not.toBe(first)
  expect(counted.problems.length > 0 || counted.objects.length < 2).toBe(true)
})

test('a version that is whole counts at once, whatever was there before it', async () => {
  const { write, read } = await watched({ 'x.yaml': namespace('a') })
  write('x.yaml', '')
  await read('x.yaml')
  write('x.yaml', namespace('a', 'new'))
  expect(labels(await read('x.yaml'))).toEqual(['a new'])
})

test('another half-written version has its own time', async () => {
  const { first, write, read, pass } = await watched({ 'x.yaml': namespace('a') })
  write('x.yaml', '')
  await read('x.yaml')
  pass()
  write('x.yaml', 'apiVersion: v1\n')
  expect(await read('x.yaml')).toBe(first)
  pass()
  expect((await read('x.yaml')).problems).toHaveLength(1)
})

test('other files count while one may be half-written', async () => {
  const { write, read } = await watched({ 'x.yaml': namespace('a'), 'y.yaml': namespace('b') })
  write('x.yaml', '')
  write('y.yaml', namespace('b', 'new'))
  expect(labels(await read('x.yaml', 'y.yaml'))).toEqual(['a a', 'b new'])
})

test('an object that moves to another file is there throughout, and nobody is told that it is there twice', async () => {
  const { first, write, read, pass } = await watched({
    'x.yaml': `${namespace('a')}---\n${namespace('b')}`,
    'y.yaml': namespace('c'),
  })
  write('x.yaml', namespace('b'))
  write('y.yaml', `${namespace('c')}---\n${namespace('a')}`)
  for (let looks = 0; looks < 2; looks++, pass()) {
    const { objects, problems } = await read('x.yaml', 'y.yaml')
    expect(new Set(objects)).toEqual(new Set(first.objects))
    expect(problems).toEqual([])
  }
})

test('a file that goes takes its objects along when it stays away', async () => {
  const { at, first, read, pass } = await watched({ 'x.yaml': namespace('a'), 'y.yaml': namespace('b') })
  rmSync(at('x.yaml'))
  expect(await read('x.yaml')).toBe(first)
  pass()
  expect(labels(await read('x.yaml'))).toEqual(['b a'])
})

test('a file that is gone for a moment is as if it had not been', async () => {
  const { at, first, read, write, pass } = await watched({ 'x.yaml': namespace('a'), 'y.yaml': namespace('b') })
  rmSync(at('x.yaml'))
  expect(await read('x.yaml')).toBe(first)
  write('x.yaml', namespace('a'))
  pass()
  const again = await read('x.yaml')
  expect(again.objects).toEqual(first.objects)
  expect(again.problems).toEqual([])
})

test('a new file is not told to be faulty before it is', async () => {
  const { write, read, pass } = await watched({ 'x.yaml': namespace('a') })
  write('y.yaml', namespace('b').slice(0, 30))
  expect((await read('y.yaml')).problems).toEqual([])
  pass()
  expect((await read('y.yaml')).problems).toHaveLength(1)
})

test('the files of a directory that moves in, is moved, or takes the place of another are found by its name', async () => {
  const { at, read, pass } = await watched({ 'x.yaml': namespace('a') })
  for (const [name, label] of [
    ['one', 'b'],
    ['two', 'c'],
  ] as const) {
    mkdirSync(at(`.${name}`))
    writeSettled(at(`.${name}/z.yaml`), namespace('z', label))
  }
  renameSync(at('.one'), at('d'))
  expect(labels(await read('d'))).toEqual(['a a', 'z b'])
  renameSync(at('d'), at('.old'))
  renameSync(at('.two'), at('d'))
  expect(labels(await read('d'))).toEqual(['a a', 'z c'])
  renameSync(at('d'), at('e'))
  expect(labels(await read('d', 'e'))).toEqual(['a a', 'z c'])
  pass()
  expect(await read()).toMatchObject({ problems: [] })
})

test('a link to a file that is read already takes its place without a problem', async () => {
  const { at, read, pass } = await watched({ 'x.yaml': namespace('a') })
  symlinkSync('x.yaml', at('b.yaml'))
  for (let looks = 0; looks < 3; looks++, pass()) {
    const loaded = await read('b.yaml')
    expect(labels(loaded)).toEqual(['a a'])
    expect(loaded.problems).toEqual([])
  }
})

test('a directory whose last file is gone for a moment is not told to be empty', async () => {
  const { at, read, reader, pass, write } = await watched({ 'x.yaml': namespace('a') })
  rmSync(at('x.yaml'))
  expect((await read('x.yaml')).problems).toEqual([])
  expect((await reader.read()).problems).toEqual([])
  write('x.yaml', namespace('a'))
  expect((await read('x.yaml')).problems).toEqual([])
  rmSync(at('x.yaml'))
  await read('x.yaml')
  pass()
  expect((await reader.read()).problems).toMatchObject([{ message: expect.stringContaining('holds no manifests') }])
})

const fileNames = ['a.yaml', 'b.yaml', 'c.yaml', 'd/e.yaml']
const text = fc.oneof(
  fc
    .array(
      fc
        .tuple(fc.constantFrom('p', 'q', 'r', 's'), fc.constantFrom('x', 'y'))
        .map(([name, label]) => namespace(name, label)),
      { minLength: 1, maxLength: 3 },
    )
    .map((documents) => documents.join('---\n')),
  fc.constantFrom(
    '',
    '# nothing\n',
    'a: [\n',
    namespace('p', '['),
    'apiVersion: apps/v1\nkind: Deployment\n',
    '\u0000',
  ),
)
const fileName = fc.constantFrom(...fileNames)
/** Texts of files before an edit to the files that it makes others; null: there is none any more. */
type Edit = (texts: ReadonlyMap<string, string>) => readonly (readonly [string, string | null])[]
const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(fileName, text).map(
      (written): Edit =>
        () => [written],
    ),
  },
  fileName.map(
    (name): Edit =>
      () => [[name, null]],
  ),
  fc.tuple(fileName, fileName).map(
    ([from, to]): Edit =>
      (texts) => [
        [from, null],
        [to, texts.get(from) ?? null],
      ],
  ),
  fc.tuple(fileName, fc.nat(100)).map(
    ([name, end]): Edit =>
      (texts) => [[name, texts.get(name)?.slice(0, end) ?? null]],
  ),
)
const step = fc.record({ edits: fc.array(edit, { minLength: 1, maxLength: 3 }), passes: fc.boolean() })

test('a reader that is told what has changed reads as one that looks at everything', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const path = mkdtempSync(join(tmpdir(), 'manifests-'))
      try {
        mkdirSync(join(path, 'd'))
        const texts = new Map<string, string>()
        const write = (name: string, text: string | null): string => {
          const file = join(path, name)
          if (text === null) {
            texts.delete(name)
            rmSync(file, { force: true })
          } else {
            texts.set(name, text)
            writeSettled(file, text)
          }
          return file
        }
        for (const [at, name] of fileNames.entries()) write(name, namespace('pqrs'.charAt(at)))
        let now = Date.now()
        const told = new ManifestReader([path], { now: () => now })
        const looking = new ManifestReader([path], { now: () => now })
        await Promise.all([told.read(), looking.read()])
        for (const { edits, passes } of steps) {
          const changed = edits.flatMap((edit) => edit(texts).map(([name, text]) => write(name, text)))
          if (passes) now += grace
          const others = said(await looking.read())
          expect(said(await told.read(new Set(changed)))).toEqual(others)
        }
      } finally {
        rmSync(path, { recursive: true })
      }
    }),
    { numRuns: 60 },
  )
})

const said = ({ objects, problems, ignored, where }: Loaded) => ({
  objects: objects
    .map((object) => ({ object, ...where(object) }))
    .toSorted((a, b) => (a.object.metadata.name < b.object.metadata.name ? -1 : 1)),
  problems,
  ignored,
})
