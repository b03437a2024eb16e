import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Command, has } from './serve-rig.ts'
import { startWorld, type World } from './serve-world.ts'

/** By the sentence that each proves. */
export type Cases = Readonly<Record<string, (world: World) => Promise<void>>>

/** Tests that a command serves clients; cases by the programs that they need. `except`: why it cannot, by the sentence. `open`:
 *  the ports that it serves. */
export function serves(
  command: Command,
  byClient: readonly (readonly [programs: readonly string[], Cases])[],
  except: Readonly<Record<string, string>> = {},
  open?: readonly number[],
): void {
  let world: World
  beforeAll(async () => {
    world = await startWorld(command, open)
  }, 60_000)
  afterAll(() => world?.close())

  for (const [programs, cases] of byClient) {
    const isMissing = !programs.every(has)
    for (const [sentence, prove] of Object.entries(cases)) {
      const isExcepted = sentence in except
      test.skipIf(isMissing)(isExcepted ? `not: ${sentence}` : sentence, async () => {
        // An exception that has none any more is to be struck off the list.
        if (isExcepted) await expect(prove(world)).rejects.toThrow()
        else await prove(world)
        expect(world.running.hasEnded, world.running.stderr).toBe(false)
      })
    }
  }

  test('every exception is one from the cases', () => {
    const sentences = byClient.flatMap(([, cases]) => Object.keys(cases))
    expect(Object.keys(except).filter((sentence) => !sentences.includes(sentence))).toEqual([])
  })
}
