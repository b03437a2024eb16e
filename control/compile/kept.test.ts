import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { Snapshot } from '../snapshot.ts'
import { type Kept, keep } from './kept.ts'
import { configMap, secret } from './object-fixture.ts'
import { type Indexes, type Source, sourceOf } from './source.ts'

const [map, key] = [configMap(), secret()]

const indexesOf = (snapshot: Snapshot): Indexes => ({
  ...snapshot.indexes,
  parent: new Map(),
  defaultGateways: new Map(),
  backendTls: new Map(),
  claim: new Map(),
})

const make = ({ look }: Source): string[] =>
  [look('ConfigMap', 'default/configmap'), look('Secret', 'default/cert')].map((object) => object?.kind ?? 'nothing')

/** Whether what was made of some objects is kept for others. */
function isKept(before: readonly KubeObject[], after: readonly KubeObject[]): boolean {
  const snapshot = Snapshot.of(before)
  const indexes = indexesOf(snapshot)
  const first: Kept<string[]> = keep(undefined, sourceOf(indexes, undefined), make)
  return keep(first, sourceOf(indexesOf(snapshot.next(after)), indexes), make) === first
}

test.for<[string, KubeObject[], KubeObject[], boolean]>([
  ['the same objects', [map, key], [map, key], true],
  ['others beside them', [map, key], [map, key, configMap({ metadata: { name: 'other' } })], true],
  ['an object in the place of another', [map, key], [configMap(), key], false],
  ['an object that is gone', [map, key], [map], false],
  ['an object that was not there', [map], [map, key], false],
  ['still nothing', [map], [map], true],
])('a result is kept while every look-up gives the same object: %s', ([, before, after, expected]) => {
  expect(isKept(before, after)).toBe(expected)
})

test('a topic without news is not looked up', () => {
  const indexes = indexesOf(Snapshot.of([map, key]))
  const first = keep(undefined, sourceOf(indexes, undefined), make)
  const silent = sourceOf(indexes, indexes)
  expect([...silent.news]).toEqual([])
  const failing = { ...silent, look: () => expect.unreachable() }
  expect(keep(first, failing, make)).toBe(first)
})

test('the same look-up twice is remembered once', () => {
  const source = sourceOf(indexesOf(Snapshot.of([key])), undefined)
  expect(keep(undefined, source, (source) => [make(source), make(source)]).looks.length).toBe(2)
})
