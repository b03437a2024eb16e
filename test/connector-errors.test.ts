import { describe, expect, test, vi } from 'vitest'
import type { Endpoint } from '../proto/gen/route_table.ts'
import { errorIn, get, type Rig, startConnector, startRigUntilEnd, statusIn } from './connector-rig.ts'
import * as odd from './origins.ts'

/** What the client gets for a GET, in short: "502 connect-failed". */
async function outcome(rig: Rig, endpoint: Endpoint, more = ''): Promise<string> {
  const client = await rig.client()
  const { head } = await client.write(get(endpoint, more)).message()
  return `${statusIn(head)} ${errorIn(head)}`
}

describe('the client is told in landfall-error', () => {
  test('that nothing listens', async () => {
    const endpoint = await odd.closedEndpoint()
    const rig = await startRigUntilEnd([endpoint])
    expect(await outcome(rig, endpoint)).toBe('502 connect-failed')
    expect(rig.logged.join()).toContain('ECONNREFUSED')
    expect(rig.connector.counters.errors['connect-failed']).toBe(1)
  })

  test.for([
    ['502 connection-lost', 'the origin closes without an answer', odd.closeEarly],
    ['502 connection-lost', 'the origin resets', odd.reset],
    ['502 connection-lost', 'the origin dies in the middle of its head', odd.dieAfter('HTTP/1.1 200 OK\r\nX: ')],
    ['502 invalid-response', 'the origin speaks no HTTP', odd.garbage],
    ['502 invalid-response', 'its head is too large', odd.hugeHeaders(100_000)],
    ['502 invalid-response', 'a header is cut by a bare CR', odd.answer('HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n')],
    ['502 invalid-response', 'a header is folded', odd.answer('HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n')],
    ['502 invalid-response', 'its status is none', odd.answer('HTTP/1.1 007 Bond\r\nContent-Length: 0\r\n\r\n')],
    [
      '502 invalid-response',
      'two lengths disagree',
      odd.answer('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'),
    ],
    [
      '502 invalid-response',
      'a transfer coding is unknown',
      odd.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'),
    ],
    [
      '502 invalid-response',
      'chunks and a length disagree',
      odd.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n'),
    ],
    ['502 invalid-response', 'the origin upgrades what nobody asked to', odd.upgradeEcho()],
  ] as const)('%s: %s', async ([expected, , serve]) => {
    const { rig, endpoint } = await startConnector(serve)
    expect(await outcome(rig, endpoint)).toBe(expected)
  })

  test('504 when landfall-timeout is over before the head, and the origin is left', async () => {
    const { origin, rig, endpoint } = await startConnector(odd.silent)
    expect(await outcome(rig, endpoint, 'landfall-timeout: 50\r\n')).toBe('504 timeout')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })

  test('504 when the origin is silent for as long as any may be', async () => {
    const { origin, rig, endpoint } = await startConnector(odd.silent, { http1: { idleTimeout: 50 } })
    expect(await outcome(rig, endpoint)).toBe('504 timeout')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })

  test('503 when as many requests are under way to the origin as may be, and no longer than that', async () => {
    const { rig, endpoint } = await startConnector(odd.silent, { http1: { requestsPerOrigin: 2 } })
    const busy = [await rig.client(), await rig.client()]
    for (const client of busy) client.write(get(endpoint))
    await vi.waitFor(() => expect(rig.connector.counters.active).toBe(2))
    expect(await outcome(rig, endpoint)).toBe('503 overloaded')
    busy[0]?.socket.destroy()
    await vi.waitFor(() => expect(rig.connector.counters.active).toBe(1))
    expect(await outcome(rig, endpoint, 'landfall-timeout: 50\r\n')).toBe('504 timeout')
  })

  test('and the connection that carried it is good for the next request', async () => {
    const endpoint = await odd.closedEndpoint()
    const rig = await startRigUntilEnd([endpoint])
    const client = await rig.client()
    for (let i = 0; i < 3; i++) expect(statusIn((await client.write(get(endpoint)).message()).head)).toBe(502)
  })
})
