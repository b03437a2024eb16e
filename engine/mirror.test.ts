import { expect, test } from 'vitest'
import { MirrorLink } from './mirror.ts'

test.for<[string, number, number, number]>([
  ['a percentage takes that share', 20, 100, 200],
  ['a fraction takes that share', 1, 2, 500],
  ['all are taken', 100, 100, 1000],
  ['none are taken', 0, 100, 0],
])('%s', ([, numerator, denominator, taken]) => {
  const mirror = new MirrorLink({ backend: 'a/copy:80', numerator, denominator })
  const steps = Array.from({ length: 1000 }, (_, i) => i / 1000)
  expect(steps.filter((random) => mirror.takes(() => random))).toHaveLength(taken)
})
