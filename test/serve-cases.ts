import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Command } from './serve-rig.ts'
import { startWorld, type World } from './serve-world.ts'

/** By the sentence that each proves. */
export type Cases = Readonly<Record<string, (world: World) => Promise<void>>>

/** Tests that a command serves all clients of `cases`. `except`: why it cannot, by the sentence. */
export function serves(command: Command, cases: Cases, except: Readonly<Record<string, string>> = {}): void {
  let world: World
  beforeAll(async () => {
    world = await startWorld(command)
  })
  afterAll(() => world?.close())

  for (const [sentence, prove] of Object.entries(cases))
    test.skipIf(sentence in except)(sentence, async () => {
      await prove(world)
      expect(world.running.hasEnded, world.running.stderr).toBe(false)
    })

  test('every exception is one from the cases', () => {
    expect(Object.keys(except).filter((sentence) => !(sentence in cases))).toEqual([])
  })
}
