import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { compile } from '../control/compile/compile.ts'
import { site } from '../control/compile/object-fixture.ts'
import { Snapshot } from '../control/snapshot.ts'
import { parseManifests } from '../kube/manifests.ts'
import { readable } from './golden/readable.ts'

// Each file in golden/ has manifests and what they compile to. `GOLDEN=write npx vitest run test/golden.test.ts` writes the
// second part anew; read the difference before you commit it.

const folder = new URL('golden/', import.meta.url)
const mark = '---\n# Output\n'
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

test('there are golden files', () => {
  expect(files.length).toBeGreaterThanOrEqual(20)
})

test.for(files.map((name) => [name.replace('.yaml', '').replaceAll('-', ' '), name]))('%s', ([, name = '']) => {
  const file = new URL(name, folder)
  const [input = ''] = readFileSync(file, 'utf8').split(mark)
  const { objects, problems } = parseManifests(name, input)
  expect(problems).toEqual([])
  const text = `${input}${mark}${stringify(readable(compile(Snapshot.of(objects), site)), { lineWidth: 0 })}`
  if (process.env.GOLDEN === 'write') writeFileSync(file, text)
  expect(readFileSync(file, 'utf8')).toBe(text)
})
