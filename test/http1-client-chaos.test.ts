import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { makeInput, numbers } from './http1-client-inputs.ts'
import { readOwn } from './http1-client-readings.ts'
import { http1Rig } from './http1-client-rig.ts'
import { startOrigin } from './origins.ts'
import type { RawConnection } from './raw-connection.ts'

const outcomes = { whole: 'whole', upgrade: 'whole', refused: 'invalid-response', open: 'connection-lost' } as const

test.for([1, 2, 3])(
  'whatever an origin sends, a request gets the response to it and no other, seed %i',
  async (seed) => {
    const random = numbers(seed)
    const inputs = Array.from({ length: 200 }, () => makeInput(random))
    /** Sends the input that a request names, in its pieces, and closes where the response has no other end. What
     *  follows a response comes with its end: later, nothing could tell it from an answer to the next request. */
    const serve = async (connection: RawConnection) => {
      for (;;) {
        const { head } = await connection.message()
        const input = inputs[Number(/ \/(\d+) /.exec(head)?.[1])]
        if (input === undefined) throw new Error(`not asked for: ${head}`)
        const { verdict, length } = readOwn(input)
        const cuts = input.cuts.filter((cut) => length === undefined || cut < length)
        for (const [index, start] of [0, ...cuts].entries()) {
          connection.write(input.text.slice(start, cuts[index]))
          await turn()
        }
        if (verdict === 'open' || length === undefined) connection.socket.end()
      }
    }
    const origin = await startOrigin(serve)
    const rig = http1Rig()

    const ask = async (index: number) => {
      const input = inputs[index]
      if (input === undefined) throw new Error('no such input')
      const answer = rig.send(origin.endpoint, {
        method: input.method,
        upgrade: input.upgrade,
        target: `/${index}`,
      })
      const { verdict, status, reason, headers, body, trailers, informational } = readOwn(input)
      const outcome = await answer.outcome()
      expect([input, outcome.replace(', unheard', '')]).toEqual([input, outcomes[verdict]])
      if (verdict === 'whole' || verdict === 'upgrade') {
        expect(answer).toMatchObject({ status, reason, headers, body, trailers, informationals: informational })
      }
      answer.tunnel?.socket.destroy()
    }
    let next = 0
    const askOn = async () => {
      while (next < inputs.length) await ask(next++)
    }
    await Promise.all([askOn(), askOn(), askOn()])
    // Some connections served more than once, or nothing has been shown about what follows a response.
    expect(origin.connections.length).toBeLessThan(inputs.length)
    rig.client.close()
    const open = () => origin.connections.filter((connection) => connection.closed === undefined)
    await vi.waitFor(() => expect(open()).toEqual([]))
    await origin.close()
  },
)

test('exchanges that are aborted anywhere leave nothing behind', async () => {
  const random = numbers(7)
  const body = 'x'.repeat(100_000)
  const origin = await startOrigin(async (connection) => {
    for (;;) {
      await connection.message()
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    }
  })
  const rig = http1Rig({ idleConnectionsPerOrigin: 4 })
  const breakOne = async () => {
    const hasBody = random(2) === 0
    const answer = rig.send(origin.endpoint, { method: hasBody ? 'POST' : 'GET', hasBody }, () => random(3) > 0)
    for (let turns = random(30); turns > 0; turns--) {
      await turn()
      if (hasBody && random(3) === 0) answer.exchange?.write(Buffer.from('hello'))
      if (random(3) === 0) answer.exchange?.resume()
    }
    if (random(4) === 0) answer.exchange?.end([])
    answer.exchange?.abort()
    const { state } = answer
    return () => expect(answer.state).toBe(state)
  }
  for (let round = 0; round < 20; round++) {
    const checks = await Promise.all(Array.from({ length: 20 }, breakOne))
    await turn()
    for (const check of checks) check()
  }
  const answer = await rig.send(origin.endpoint).over()
  expect(answer.body).toBe(body)
  rig.client.close()
  const open = () => origin.connections.filter((connection) => connection.closed === undefined)
  await vi.waitFor(() => expect(open()).toEqual([]))
  await origin.close()
})
