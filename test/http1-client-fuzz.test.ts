import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { differences, disagreement } from './http1-client-differences.ts'
import { type Input, makeInput, numbers } from './http1-client-inputs.ts'
import { readNode, readOwn } from './http1-client-readings.ts'

// Landfall's parser for responses against that of Node.js: what both take reads the same, and what Node.js refuses
// Landfall refuses, but for what http1-client-differences.ts says. For longer runs:
//
//   HTTP1_FUZZ=3000000 HTTP1_FUZZ_SEED=2 npx vitest run --project node test/http1-client-fuzz.test.ts

const count = Number(process.env.HTTP1_FUZZ ?? 20_000)
const seed = Number(process.env.HTTP1_FUZZ_SEED ?? 1)

test(`${count} responses, sound and odd, are read as Node.js reads them`, { timeout: 60_000 + count }, () => {
  const random = numbers(seed)
  const verdicts = { whole: 0, upgrade: 0, open: 0, refused: 0 }
  for (let at = 0; at < count; at++) {
    const input = makeInput(random)
    const [own, node] = [readOwn(input), readNode(input)]
    verdicts[own.verdict]++
    const named = differences.find((difference) => difference.covers(input, own, node))
    const fault = splitFault(input) ?? (named === undefined ? disagreement(input, own, node) : undefined)
    if (fault !== undefined) throw new Error(`${fault}: ${JSON.stringify({ input, own, node }, undefined, 1)}`)
  }
  // Otherwise the inputs have become too odd, or too plain, to say anything.
  expect(verdicts.whole).toBeGreaterThan(count / 4)
  expect(verdicts.refused).toBeGreaterThan(count / 4)
  expect(verdicts.open).toBeGreaterThan(count / 200)
  expect(verdicts.upgrade).toBeGreaterThan(0)
})

/** However the bytes are cut, they mean the same. */
function splitFault(input: Input): string | undefined {
  const [cut, whole] = [readOwn(input), readOwn({ ...input, cuts: [] })]
  if (cut.verdict !== whole.verdict) return `${cut.verdict} in pieces, ${whole.verdict} at once`
  return cut.verdict === 'refused' || isDeepStrictEqual(cut, whole) ? undefined : 'cuts change the reading'
}

const corpus = join(import.meta.dirname, 'corpus', 'http1')

/** Every file of a folder of the corpus, as a response to GET, in pieces of `size` bytes. */
function kept(folder: string, size: number): (readonly [name: string, input: Input])[] {
  const files = readdirSync(join(corpus, folder))
  expect(files.length).toBeGreaterThan(0)
  return files.map((file) => {
    const text = readFileSync(join(corpus, folder, file), 'latin1')
    const cuts = Array.from({ length: Math.ceil(text.length / size) - 1 }, (_, index) => (index + 1) * size)
    return [file.replace('.http', ''), { text, method: 'GET', upgrade: undefined, cuts, isSound: false }]
  })
}

test.for<[string, string, readonly string[]]>([
  ['read', 'whole', ['whole']],
  ['refused', 'refused', ['refused']],
  ['stricter', 'refused', ['whole', 'open']],
])('what stands in the corpus under %s is %s, and for Node.js %j', ([folder, verdict, verdicts]) => {
  for (const size of [100_000, 1, 2, 3, 5, 16]) {
    for (const [name, input] of kept(folder, size)) {
      const [own, node] = [readOwn(input), readNode(input)]
      expect([name, own.verdict]).toEqual([name, verdict])
      expect(verdicts, name).toContain(node.verdict)
      expect([name, disagreement(input, own, node)]).toEqual([name, undefined])
    }
  }
})

test('what Landfall takes and Node.js does not is in the list, each with a file that shows it', () => {
  const shown = kept('differs', 100_000).map(([name, input]) => {
    const [own, node] = [readOwn(input), readNode(input)]
    expect([name, disagreement(input, own, node)]).not.toEqual([name, undefined])
    expect(differences.filter((each) => each.covers(input, own, node)).map((each) => each.name)).toEqual([name])
    return name
  })
  expect(shown.sort()).toEqual(differences.map(({ name }) => name).sort())
})
