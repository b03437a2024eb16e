import { setImmediate as turn } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { gateway, TestService } from '../control/service/service-fixture.ts'
import { withProgress } from './push-progress.ts'

/** Keeps what was written; each line replaces the one before. */
function terminal(isTTY = true) {
  const written: string[] = []
  return { isTTY, written, write: (text: string) => written.push(text) }
}

const eventsOf = (service: TestService, token?: string) => ({
  events: async () => {
    const { status, body } = await service.ask('/v1/events', token === undefined ? {} : { token })
    return status === 200 ? (body as ReadableStream<Uint8Array>) : undefined
  },
})

/** Pushes, and waits until what the service tells of it has come. */
const pushed = async (service: TestService, set: string, text: string) => {
  const answer = await service.push(set, text)
  for (let n = 0; n < 20; n++) await turn()
  return answer
}

test('a terminal shows each step of a push of the set, and is empty afterwards', async () => {
  const service = await TestService.start()
  const shown = terminal()
  const answer = await withProgress(eventsOf(service), 'infra', shown, async () => {
    await pushed(service, 'other', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n')
    return pushed(service, 'infra', gateway)
  })
  expect(answer.body.version).toBe(1)
  expect(shown.written.map((text) => stripVTControlCharacters(text).trim())).toEqual([
    'infra: received',
    'infra: compiled',
    'infra: version 1 is kept',
    ...Array.from({ length: answer.body.written.entries }, () =>
      expect.stringMatching(/^infra: version 1, \d of \d entries written$/),
    ),
    'infra: published',
    '',
  ])
  expect(shown.written.at(-1)).toBe('\r\x1b[2K')
  expect(service.service.progress.size).toBe(0)
})

test('what the push comes to is what it would be without anybody who looks', async () => {
  const service = await TestService.start()
  const shown = terminal()
  const failing = withProgress(eventsOf(service), 'infra', shown, async () => {
    throw new Error('no answer')
  })
  await expect(failing).rejects.toThrow('no answer')
  const pusher = await service.token({ verbs: ['push'] })
  expect(await withProgress(eventsOf(service, pusher), 'infra', terminal(), async () => 'done')).toBe('done')
  const broken = {
    events: async () => new Blob(['event: writing\ndata: {"set": 7}\n\n']).stream(),
  }
  expect(await withProgress(broken, 'infra', terminal(), async () => 'done')).toBe('done')
})

test('where there is no terminal nothing is asked and nothing shown', async () => {
  const pipe = terminal(false)
  const nobody = {
    events: async () => {
      throw new Error('asked for events')
    },
  }
  expect(await withProgress(nobody, 'infra', pipe, async () => 'done')).toBe('done')
  expect(pipe.written).toEqual([])
})
