import { expect, test, vi } from 'vitest'
import { type Answer, clear, openAt, sized, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'
import type { Http1ClientLimits } from './limits.ts'

test('requests share a connection, one after the other', async () => {
  const echo = await odd.startOriginUntilEnd(odd.echo)
  const rig = startClient({ requestsPerOrigin: 1 })
  for (let count = 0; count < 5; count++) await rig.send(echo.endpoint).over()
  expect(echo.connections).toHaveLength(1)
})

test('a request that is sent from the end of another takes its connection', async () => {
  const echo = await odd.startOriginUntilEnd(odd.echo)
  const rig = startClient()
  const first = rig.send(echo.endpoint)
  const next: Answer[] = []
  const end = first.end.bind(first)
  first.end = (trailers) => {
    end(trailers)
    next.push(rig.send(echo.endpoint, { target: '/next' }))
  }
  await first.over()
  expect((await next[0]?.over())?.body).toContain('GET /next')
  expect(echo.connections).toHaveLength(1)
})

test('the connection that served last serves next', async () => {
  const { endpoint, connections } = await odd.startOriginUntilEnd(async (connection) => {
    for (;;) {
      await connection.message()
      connection.write(sized(`${connections.indexOf(connection)}`))
    }
  })
  const rig = startClient()
  const [first, second] = [rig.send(endpoint), rig.send(endpoint)]
  await second.over()
  await first.over()
  const last = (await rig.send(endpoint).over()).body
  expect((await rig.send(endpoint).over()).body).toBe(last)
})

test('origins under different policies share no connection', async () => {
  const echo = await odd.startOriginUntilEnd(odd.echo)
  const connected: unknown[] = []
  const rig = startClient({}, (wanted, protocols, ready, onread) => {
    connected.push(wanted.tls)
    return clear({ ...wanted, tls: undefined }, protocols, ready, onread)
  })
  const tls = { hostname: 'a', authorities: '', subjectAltNames: [] }
  for (const policy of [undefined, tls, { ...tls }, { ...tls, hostname: 'b' }]) {
    await rig.send(echo.endpoint, {}, undefined, policy).over()
  }
  expect(connected).toEqual([undefined, tls, { ...tls, hostname: 'b' }])
})

test.for<[string, string]>([
  ['more than its length', sized('hello') + sized('other')],
  ['Connection: close', sized('hello', 'Connection: close\r\n')],
  ['Keep-Alive: timeout=0', sized('hello', 'Keep-Alive: timeout=0\r\n')],
  ['HTTP/1.0', sized('hello').replace('1.1', '1.0')],
])('behind %s, a connection serves no more', async ([, bytes]) => {
  const served = await odd.startOriginUntilEnd(odd.answer(bytes))
  const rig = startClient()
  for (let count = 1; count <= 2; count++) {
    const answer = rig.send(served.endpoint)
    expect(await answer.outcome()).toBe('whole')
    expect(answer.body).toBe('hello')
    expect(served.connections).toHaveLength(count)
  }
  await vi.waitFor(() => expect(openAt(served)).toBe(0))
})

test('bytes that come on an idle connection close it, and belong to no request', async () => {
  const talker = await odd.startOriginUntilEnd(odd.answer(sized('one')))
  const rig = startClient()
  await rig.send(talker.endpoint).over()
  talker.connections[0]?.write(sized('two'))
  await vi.waitFor(() => expect(openAt(talker)).toBe(0))
  expect((await rig.send(talker.endpoint).over()).body).toBe('one')
})

test('no more idle connections are kept than may be', async () => {
  const echo = await odd.startOriginUntilEnd(odd.echo)
  const rig = startClient({ idleConnectionsPerOrigin: 2 })
  const answers = Array.from({ length: 5 }, () => rig.send(echo.endpoint))
  for (const answer of answers) await answer.over()
  await vi.waitFor(() => expect(openAt(echo)).toBe(2))
})

test.for<[string, Partial<Http1ClientLimits>, string]>([
  ['its own time', { reuseTimeout: 40 }, ''],
  ["the origin's", { reuseTimeout: 60_000, connectTimeout: 100 }, 'Keep-Alive: timeout=1, max=7\r\n'],
])('a connection waits for its next request for %s at most', async ([, limits, lines]) => {
  const served = await odd.startOriginUntilEnd(odd.answer(sized('', lines)))
  await startClient(limits).send(served.endpoint).over()
  expect(openAt(served)).toBe(1)
  await vi.waitFor(() => expect(openAt(served)).toBe(0), { timeout: 2_000 })
})
