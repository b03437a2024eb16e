import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import type { Loaded } from './loaded.ts'
import { grace } from './manifest-cache.ts'
import { ManifestReader, readManifests } from './manifests.ts'
import { formatProblem } from './problem.ts'

const namespace = (name: string, label = 'a'): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {app: ${label}}\n`

/** A directory with these files, until the test is over. */
function directory(files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = mkdtempSync(join(tmpdir(), 'manifests-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}

const names = ({ objects }: { objects: readonly { metadata: { name: string } }[] }): string[] =>
  objects.map(({ metadata }) => metadata.name)

test('a directory is read with all below it, by name, without what is hidden or no manifest', async () => {
  const path = directory({
    'b.yml': namespace('b'),
    'a.yaml': namespace('a'),
    'c/d.json': '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"d"}}',
    '.hidden/e.yaml': namespace('e'),
    'node_modules/f.yaml': namespace('f'),
    'kustomization.yaml': 'resources: [a.yaml]\n',
    'README.md': '# no manifest',
  })
  const loaded = await readManifests([path])
  expect(loaded.problems).toEqual([])
  expect(names(loaded)).toEqual(['a', 'b', 'd'])
})

test('a file that is reached twice is read once, and links in a circle end', async () => {
  const path = directory({ 'a.yaml': namespace('a'), 'b/c.yaml': namespace('c') })
  symlinkSync('..', join(path, 'b/up'))
  symlinkSync('a.yaml', join(path, 'z.yaml'))
  const loaded = await readManifests([join(path, 'a.yaml'), path])
  expect(loaded.problems).toEqual([])
  expect(names(loaded)).toEqual(['a', 'c'])
})

test('"-" is the standard input, which is read once', async () => {
  const stdin = () => Readable.from([Buffer.from(namespace('a')), Buffer.from(`---\nkind: ConfigMap\n`)])
  const reader = new ManifestReader(['-'], { stdin })
  const loaded = await reader.read()
  expect(names(loaded)).toEqual(['a'])
  expect(loaded.problems.map(formatProblem)).toEqual([
    'stdin:7: ConfigMap: apiVersion is missing; write apiVersion: v1',
  ])
  expect(await reader.read()).toBe(loaded)
})

test('what cannot be read is told, and the rest is read', async () => {
  const path = directory({
    'a.yaml': namespace('a'),
    'latin.yaml': Buffer.concat([Buffer.from('# first line\n# caf'), Buffer.from([0xe9])]),
    'utf16.yaml': Buffer.from(`\ufeff${namespace('b')}`, 'utf16le'),
    'bom.yaml': `\ufeff${namespace('c')}`,
    'large.yaml': '#'.repeat(64 * 1024 * 1024 + 1),
  })
  symlinkSync('loop.yaml', join(path, 'loop.yaml'))
  const empty = directory({})
  const { problems, ...loaded } = await readManifests([path, empty, join(path, 'missing.yaml')])
  expect(names(loaded)).toEqual(['a', 'c'])
  expect(
    problems.map((problem) => formatProblem(problem).replace(`${path}/`, '').replace(empty, 'empty')).sort(),
  ).toEqual([
    'empty:1: holds no manifests; their names end in .yaml, .yml or .json',
    'large.yaml:1: is larger than 64 MiB; split it into several files',
    'latin.yaml:2: holds bytes that are not UTF-8; save it as UTF-8',
    'loop.yaml:1: is a link that leads to itself',
    'missing.yaml:1: does not exist',
    'utf16.yaml:1: is UTF-16; save it as UTF-8',
  ])
})

// To root, every file is readable.
test('a file without permission to read is told', () => {
  const path = directory({ 'a.yaml': namespace('a') })
  chmodSync(path, 0o755)
  chmodSync(join(path, 'a.yaml'), 0)
  // root may read everything, so another user reads.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const script = `import { readManifests } from ${JSON.stringify(import.meta.resolve('./manifests.ts'))}
    console.log(JSON.stringify((await readManifests([${JSON.stringify(path)}])).problems))`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { ...user, encoding: 'utf8' })
  expect(JSON.parse(printed)).toMatchObject([
    { file: `${path}/a.yaml`, message: 'cannot be read; its permissions do not allow it' },
  ])
})

test('the same object in two files is an error that names both', async () => {
  const path = directory({ 'a.yaml': namespace('a'), 'b.yaml': `# again\n${namespace('a')}` })
  const { problems } = await readManifests([path])
  expect(problems.map(formatProblem)).toEqual([
    `${path}/b.yaml:2: Namespace a: is defined at ${path}/a.yaml:1 already; remove one of the two`,
  ])
})

test('a reader gives the very same result while nothing changes, and the very same objects where nothing did', async () => {
  const path = directory({ 'a.yaml': `${namespace('a')}---\n${namespace('b')}`, 'c.yaml': namespace('c') })
  const reader = new ManifestReader([path])
  const first = await reader.read()
  expect(await reader.read()).toBe(first)

  writeFileSync(
    join(path, 'a.yaml'),
    `# moved\n${namespace('b', 'new')}---\n${namespace('a').replace('{app: a}', '{"app": "a"}')}`,
  )
  const second = await reader.read()
  const [a, b, c] = first.objects
  expect(second.objects[0]).not.toEqual(b)
  expect(second.objects[1]).toBe(a)
  expect(second.objects[2]).toBe(c)
  if (a === undefined) throw new Error('no object')
  expect(second.where(a).line).toBe(8)
})

test('a change of the same length in the same instant is seen', async () => {
  const path = directory({ 'a.yaml': namespace('a') })
  const reader = new ManifestReader([path])
  for (const app of ['b', 'c', 'd', 'e']) {
    writeFileSync(join(path, 'a.yaml'), namespace('a', app))
    expect((await reader.read()).objects).toMatchObject([{ metadata: { labels: { app } } }])
  }
})

/** A reader that takes nothing for half-written. */
function certainReader(...paths: string[]): { read(): Promise<Loaded> } {
  let now = Date.now()
  const reader = new ManifestReader(paths, { now: () => now })
  return {
    read: async () => {
      await reader.read()
      now += grace
      return await reader.read()
    },
  }
}

test('an object that is not valid any more stays as it was, until it is removed', async () => {
  const path = directory({ 'a.yaml': `${namespace('a')}---\n${namespace('b')}` })
  const reader = certainReader(path)
  const first = await reader.read()
  const write = async (text: string) => {
    writeFileSync(join(path, 'a.yaml'), text)
    return await reader.read()
  }
  const invalid = await write(`${namespace('a', 'a b')}---\n${namespace('b')}`)
  expect(invalid.problems).toHaveLength(1)
  expect(invalid.objects).toEqual(first.objects)
  expect(invalid.objects[0]).toBe(first.objects[0])

  const malformed = await write(`a: [\n---\n${namespace('b')}`)
  expect(malformed.problems).toHaveLength(1)
  expect(new Set(malformed.objects)).toEqual(new Set(first.objects))

  expect(names(await write(namespace('b')))).toEqual(['b'])
})

test('objects go with their file, and stay while the file cannot be read', async () => {
  const path = directory({ 'a.yaml': namespace('a'), 'b/b.yaml': namespace('b') })
  const reader = certainReader(join(path, 'a.yaml'), join(path, 'b'))
  expect(names(await reader.read())).toEqual(['a', 'b'])
  renameSync(join(path, 'a.yaml'), join(path, 'away'))
  writeFileSync(join(path, 'b/b.yaml'), Buffer.from([0xff]))
  expect(new Set(names(await reader.read()))).toEqual(new Set(['a', 'b']))
  writeFileSync(join(path, 'b/c.yaml'), namespace('c'))
  rmSync(join(path, 'b/b.yaml'))
  expect(new Set(names(await reader.read()))).toEqual(new Set(['a', 'c']))
})
