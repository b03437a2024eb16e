import { expect, vi } from 'vitest'

/** The value once it has stopped to change. */
export async function settled(value: () => number): Promise<number> {
  let last = -1
  let same = 0
  await vi.waitFor(
    () => {
      same = value() === last && last > 0 ? same + 1 : 0
      last = value()
      expect(same).toBeGreaterThan(10)
    },
    { timeout: 20_000, interval: 20 },
  )
  return last
}
