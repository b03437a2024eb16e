import { describe, expect, test, vi } from 'vitest'
import { errorIn, get, signed, startConnector } from './connector-rig.ts'
import * as odd from './origins.ts'

describe('a response that breaks off', () => {
  test.for([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'hello'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '5\r\nhello\r\n'],
  ] as const)('%s breaks off at the client too', async ([, bytes, body]) => {
    const { rig, client, endpoint } = await startConnector(odd.dieAfter(bytes))
    client.write(get(endpoint))
    await client.until('\r\n\r\n')
    expect(await client.rest()).toBe(body)
    await vi.waitFor(() => expect(rig.connector.counters.broken).toBe(1))
  })

  test('by a chunk that is none breaks off at the client too', async () => {
    const { origin, client, endpoint } = await startConnector(
      odd.answerEarly('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    )
    await client.write(get(endpoint)).until('hello')
    origin.connections[0]?.write('ZZ\r\n')
    expect(await client.rest()).not.toContain('0\r\n\r\n')
  })

  test('by landfall-timeout in the middle of its body breaks off on both sides', async () => {
    const { origin, client, endpoint } = await startConnector(odd.hangMidBody)
    client.write(get(endpoint, 'landfall-timeout: 100\r\n'))
    await client.until('\r\n\r\n')
    expect(await client.rest()).toBe('hello')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })

  test('by silence in the middle of its body breaks off on both sides', async () => {
    const { origin, client, endpoint } = await startConnector(odd.hangMidBody, { http1: { idleTimeout: 100 } })
    client.write(get(endpoint))
    await client.until('\r\n\r\n')
    expect(await client.rest()).toBe('hello')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  })
})

describe('a client that goes away', () => {
  test.for([
    ['before the head', odd.silent, ''],
    ['in the middle of the body', odd.hangMidBody, 'hello'],
    ['in the middle of a large body', odd.bigBody(100).serve, 'xxxxx'],
  ] as const)('%s leaves nothing open at the origin', async ([, serve, mark]) => {
    const { origin, rig, client, endpoint } = await startConnector(serve)
    client.write(get(endpoint))
    await vi.waitFor(() => expect(origin.connections).toHaveLength(1))
    await client.until(mark)
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
  })

  test.for([
    ['of known length', 'Content-Length: 10\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ] as const)('in the middle of an upload %s does not make the origin believe it whole', async ([, upload]) => {
    const { origin, client, endpoint } = await startConnector(odd.silent)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}${upload}`)
    await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('hello'))
    client.socket.end()
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    expect(origin.connections[0]?.received).not.toContain('hello\r\n0\r\n')
  })

  test('by sending a broken chunk is told so, and the origin does not believe its upload whole', async () => {
    const { origin, client, endpoint } = await startConnector(odd.silent)
    client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`)
    await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('hello'))
    client.write('ZZ\r\n')
    expect(errorIn((await client.message()).head)).toBe('bad-request')
    expect(await client.rest()).toBe('')
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
    expect(origin.connections[0]?.received).not.toContain('0\r\n\r\n')
  })
})
