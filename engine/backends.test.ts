import { expect, test } from 'vitest'
import { chooseByWeight } from './backends.ts'

const choices = [
  { name: 'a', weight: 1 },
  { name: 'zero', weight: 0 },
  { name: 'b', weight: 3 },
]

test('each is chosen in proportion to its weight', () => {
  const steps = Array.from({ length: 1000 }, (_, i) => i / 1000)
  const counts = Map.groupBy(steps, (random) => chooseByWeight(choices, () => random)?.name)
  expect([...counts].map(([name, { length }]) => [name, length])).toEqual([
    ['a', 250],
    ['b', 750],
  ])
})

test('when all weights are zero, none is chosen', () => {
  expect(chooseByWeight([{ weight: 0 }], () => 0)).toBeUndefined()
  expect(chooseByWeight([], () => 0)).toBeUndefined()
})

test('a draw that rounds up to the sum does not fall on a weight of zero', () => {
  expect(
    chooseByWeight(
      [
        { name: 'a', weight: 1 },
        { name: 'zero', weight: 0 },
      ],
      () => 1,
    )?.name,
  ).toBe('a')
})
