import { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { openAt, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'

test('where nobody listens, nothing is sent', async () => {
  expect(
    await startClient()
      .send(await odd.closedEndpoint())
      .outcome(),
  ).toBe('connect-failed, unheard')
})

test('who is too slow to connect is left', async () => {
  const sockets: Socket[] = []
  const rig = startClient({ connectTimeout: 40 }, () => {
    sockets.push(new Socket())
    return sockets[0] ?? new Socket()
  })
  const since = performance.now()
  expect(await rig.send({ address: '127.0.0.1', port: 1 }).outcome()).toBe('connect-failed, unheard')
  expect(performance.now() - since).toBeGreaterThan(39)
  expect(sockets[0]?.destroyed).toBe(true)
})

test.for<[string, Parameters<typeof odd.startOrigin>[0], string]>([
  ['before its answer', odd.silent, 'timeout, unheard'],
  ['within it', odd.hangMidBody, 'timeout'],
])('an origin that falls silent %s is left', async ([, serve, outcome]) => {
  const silent = await odd.startOriginUntilEnd(serve)
  const since = performance.now()
  expect(await startClient({ idleTimeout: 40 }).send(silent.endpoint).outcome()).toBe(outcome)
  expect(performance.now() - since).toBeGreaterThan(39)
  await vi.waitFor(() => expect(openAt(silent)).toBe(0))
})

test('an origin that speaks slowly is not', async () => {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 30))
  const { endpoint } = await odd.startOriginUntilEnd(odd.slowBody(['a', 'b', 'c', 'd', 'e'], pause))
  const answer = startClient({ idleTimeout: 100 }).send(endpoint)
  expect(await answer.outcome()).toBe('whole')
  expect(answer.body).toBe('abcde')
})

test('more requests to an origin than may be are not sent', async () => {
  const busy = await odd.startOriginUntilEnd(odd.silent)
  const rig = startClient({ requestsPerOrigin: 2 })
  const [first] = [rig.send(busy.endpoint), rig.send(busy.endpoint)]
  expect(await rig.send(busy.endpoint).outcome()).toBe('overloaded, unheard')
  first.exchange?.abort()
  const next = rig.send(busy.endpoint)
  await vi.waitFor(() => expect(busy.connections).toHaveLength(3))
  expect(next.state).toBe('waiting')
  next.exchange?.abort()
})
