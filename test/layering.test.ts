import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** Who may import whom; a folder may always import itself. docs/architecture.md draws the same. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  engine: ['proto'],
  kube: [],
  control: ['engine', 'kube', 'proto'],
  worker: ['engine', 'proto'],
  standalone: ['engine', 'proto'],
  'bgp-agent': ['kube'],
  serve: ['control', 'engine', 'kube', 'proto', 'standalone'],
  dev: ['control', 'engine', 'kube', 'proto', 'serve', 'standalone'],
  cli: ['control', 'dev', 'serve', 'engine', 'kube', 'proto', 'standalone', 'bgp-agent'],
  examples: [],
}

/** Folders that may name nothing outside the language. */
const pure = ['engine']

const root = join(import.meta.dirname, '..')

function sources(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
}

const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:import|export)\b[^'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '')

const present = Object.keys(mayImport).filter((folder) => readdirSync(root).includes(folder))

test.for(present)('%s imports only what stands below it', (folder) => {
  const files = sources(folder)
  expect(files.length).toBeGreaterThan(0)
  const allowed = [folder, ...(mayImport[folder] ?? [])]
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => normalize(join(dirname(file), specifier)))
      .filter((target) => !allowed.includes(target.split('/')[0] ?? ''))
      .map((target) => `${file} -> ${target}`),
  )
  expect(wrong).toEqual([])
})

test.for(pure)('%s imports no package and no part of a runtime', (folder) => {
  const foreign = sources(folder).flatMap((file) => importsOf(file).filter((specifier) => !specifier.startsWith('.')))
  expect(foreign).toEqual([])
})

test('only bgp-agent/sys calls into the system by itself', () => {
  const callers = present.flatMap(sources).filter((file) => importsOf(file).includes('koffi'))
  expect(callers.length).toBeGreaterThan(0)
  expect(callers.filter((file) => !file.startsWith('bgp-agent/sys/'))).toEqual([])
})

test('every folder with sources has its place in the list', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['node_modules', 'test', 'bench', 'docs'].includes(entry.name))
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith('.') && sources(name).length > 0)
  expect(folders.filter((name) => !(name in mayImport))).toEqual([])
})
