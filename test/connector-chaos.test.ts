import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { get, signed, startRig } from './connector-rig.ts'
import * as odd from './origins.ts'
import type { RawConnection } from './raw-connection.ts'

/** Numbers below `limit` that are the same in every run: mulberry32. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'

const behaviours: readonly ((connection: RawConnection) => void | Promise<void>)[] = [
  odd.echo,
  odd.silent,
  odd.hangMidBody,
  odd.closeEarly,
  odd.reset,
  odd.garbage,
  odd.interim,
  odd.halfClose,
  odd.dieAfter(chunked),
  odd.answerEarly('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno'),
  odd.answerEarly(chunked),
  odd.upgradeEcho('hello'),
  odd.bigBody(2).serve,
]

test.for([1, 2, 3])('exchanges that break anywhere leave nothing behind, seed %i', async (seed) => {
  const random = numbers(seed)
  function pick<T>(of: readonly T[]): T {
    const chosen = of[random(of.length)]
    if (chosen === undefined) throw new Error('nothing to pick from')
    return chosen
  }
  const origins = await Promise.all(behaviours.map(odd.startOrigin))
  const rig = await startRig(
    origins.map((origin) => origin.endpoint),
    { http1: { reuseTimeout: 50 }, limits: { lingerTimeout: 50 } },
  )

  const breakOne = async () => {
    const { endpoint } = pick(origins)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly'
    const request = pick([
      get(endpoint),
      get(endpoint, 'landfall-timeout: 20\r\n'),
      `POST / HTTP/1.1\r\n${signed(endpoint)}Content-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`,
      `POST / HTTP/1.1\r\n${signed(endpoint)}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      `GET / HTTP/1.1\r\n${signed(endpoint)}${upgrade}`,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhello',
    ])
    const client = await rig.client()
    client.write(pick([request, request, request.slice(0, random(request.length))]))
    for (let turns = random(30); turns > 0; turns--) await turn()
    if (random(2) === 0) client.write(pick([request, 'x', 'ZZ\r\n']))
    for (let turns = random(30); turns > 0; turns--) await turn()
    const { socket } = client
    pick([() => socket.end(), () => socket.destroy(), () => socket.resetAndDestroy()])()
    return client
  }
  const clients: RawConnection[] = []
  for (let round = 0; round < 20; round++) clients.push(...(await Promise.all(Array.from({ length: 15 }, breakOne))))

  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0), { timeout: 10_000 })
  expect(rig.connector.counters.requests).toBeGreaterThan(100)
  const open = () =>
    origins.flatMap((origin) => origin.connections).filter((connection) => connection.closed === undefined)
  await vi.waitFor(() => expect(open()).toEqual([]), { timeout: 10_000 })
  for (const client of clients) client.socket.destroy()
  await rig.close()
  for (const origin of origins) await origin.close()
})
