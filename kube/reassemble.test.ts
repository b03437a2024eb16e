import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Assembled, assemble } from './loaded.ts'
import { type ManifestFile, parseFile, pendingFile } from './manifest-file.ts'
import type { KubeObject } from './objects.ts'
import { reassemble } from './reassemble.ts'

const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: ${value}}\n`

const fileOf = (name: string, ...documents: string[]): ManifestFile =>
  parseFile(name, { text: documents.map((document) => `---\n${document}`).join('') })

const byName = (objects: readonly KubeObject[]): readonly KubeObject[] =>
  objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))

const said = ({ loaded }: Assembled) => ({
  problems: loaded.problems,
  ignored: loaded.ignored,
  places: byName(loaded.objects).map((object) => loaded.where(object, ['data', 'value'])),
})

/** What files come to after versions of some, found both ways. */
function bothWays(before: readonly ManifestFile[], after: readonly ManifestFile[]) {
  const last = assemble(before)
  const versions = after.map((file, at) => [before[at] ?? file, file] as const)
  return { last, anew: assemble(after, last), quick: reassemble(last, versions) }
}

test('other versions of the same objects are put in place of the earlier ones, and no other object is another', () => {
  const files = ['a', 'b', 'c'].map((name) => fileOf(`${name}.yaml`, configMap(name, 'old')))
  const changed = files.with(1, fileOf('b.yaml', `# moved\n${configMap('b', 'new')}`))
  const { last, anew, quick } = bothWays(files, changed)
  expect(quick?.loaded.objects.map((object) => 'data' in object && object.data)).toEqual([
    { value: 'old' },
    { value: 'new' },
    { value: 'old' },
  ])
  expect(quick?.loaded.objects[0]).toBe(last.loaded.objects[0])
  expect(quick && said(quick)).toEqual(said(anew))
})

test('what was read before goes on to know where it stands', () => {
  const { last, quick } = bothWays(
    [fileOf('a.yaml', configMap('a', 'old'))],
    [fileOf('a.yaml', `# moved\n${configMap('a', 'old')}`)],
  )
  const [object] = last.loaded.objects
  if (object === undefined) throw new Error('no object')
  expect(quick?.loaded.objects[0]).toBe(object)
  expect(quick?.loaded.where(object).line).toBe(3)
  expect(last.loaded.where(object).line).toBe(2)
})

test.for<[string, ManifestFile, ManifestFile]>([
  ['come', fileOf('a.yaml', configMap('a', 'old')), fileOf('a.yaml', configMap('a', 'old'), configMap('b', 'new'))],
  ['go', fileOf('a.yaml', configMap('a', 'old'), configMap('b', 'new')), fileOf('a.yaml', configMap('a', 'old'))],
  [
    'change places',
    fileOf('a.yaml', configMap('a', '1'), configMap('b', '2')),
    fileOf('a.yaml', configMap('b', '2'), configMap('a', '1')),
  ],
  ['break', fileOf('a.yaml', configMap('a', 'old')), fileOf('a.yaml', configMap('a', '[1]'))],
  ['mend', fileOf('a.yaml', configMap('a', '[1]')), fileOf('a.yaml', configMap('a', 'new'))],
  [
    'of other kinds may be half-written',
    fileOf('a.yaml', 'apiVersion: apps/v1\nkind: Deployment\n'),
    pendingFile('a.yaml'),
  ],
  ['are written twice', fileOf('a.yaml', configMap('z', 'old')), fileOf('a.yaml', configMap('z', 'new'))],
])('files are put together anew where objects %s', ([, before, after]) => {
  const other = fileOf('z.yaml', configMap('z', 'old'))
  expect(bothWays([before, other], [after, other]).quick).toBeUndefined()
})

const document = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.constantFrom('x', 'y'))
      .map(([name, value]) => configMap(name, value)),
  },
  fc.constantFrom(
    '# another line\n',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n',
    'a: [\n',
    configMap('a', '[1]'),
    `${configMap('b', 'x')}more: fields\n`,
    'kind: ConfigMap\n',
  ),
)
const fileNames = ['1.yaml', '2.yaml', '3.yaml', '4.yaml']
const version = fc.record({
  name: fc.constantFrom(...fileNames),
  documents: fc.option(fc.array(document, { maxLength: 3 }), { freq: 8 }),
})
/** Mostly files whose objects stay what they are. */
const quietVersion = fc
  .tuple(fc.constantFrom(0, 1, 2, 3), fc.constantFrom('x', 'y', '[1]'), fc.boolean())
  .map(([at, value, isMoved]) => ({
    name: fileNames[at] ?? '',
    documents: [
      `${isMoved ? '# moved\n' : ''}${configMap('abcd'.charAt(at), value)}`,
      configMap(`${'abcd'.charAt(at)}2`, 'x'),
    ],
  }))

test('whatever becomes of files, putting in place what has changed comes to the same as putting all together', () => {
  let quick = 0
  fc.assert(
    fc.property(fc.array(fc.array(fc.oneof(version, quietVersion), { minLength: 1, maxLength: 2 })), (steps) => {
      const files = new Map<string, ManifestFile>(fileNames.map((name) => [name, fileOf(name)]))
      let own = assemble([...files.values()])
      let anew = own
      for (const changes of steps) {
        const before = new Map(files)
        for (const { name, documents } of changes)
          files.set(name, documents === null ? pendingFile(name) : fileOf(name, ...documents))
        const versions = [...files].map(([name, file]) => [before.get(name) ?? file, file] as const)
        const replaced = reassemble(
          own,
          versions.filter(([before, after]) => before !== after),
        )
        if (replaced !== undefined) quick++
        own = replaced ?? assemble([...files.values()], own)
        anew = assemble([...files.values()], anew)
        expect(said(own)).toEqual(said(anew))
        const [mine, others] = [byName(own.loaded.objects), byName(anew.loaded.objects)]
        expect(mine.length).toBe(others.length)
        for (const [at, object] of mine.entries()) expect(object).toBe(others[at])
      }
    }),
    { numRuns: 300 },
  )
  expect(quick).toBeGreaterThan(50)
})
