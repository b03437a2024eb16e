import { describe, expect, test, vi } from 'vitest'
import { errorIn, get, type Serve, signed, startConnector, statusIn } from './connector-rig.ts'
import * as odd from './origins.ts'

describe('when the origin closes a connection just as it is used again', () => {
  /** The first connection answers once, and is reset by the second request. */
  const fickle = (): Serve => {
    let connections = 0
    return async (connection) => {
      connections++
      if (connections > 1) return odd.echo(connection)
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      await connection.until('\r\n\r\n')
      connection.socket.resetAndDestroy()
    }
  }

  test('a GET is sent once more on a fresh one', async () => {
    const { origin, client, endpoint } = await startConnector(fickle())
    expect(statusIn((await client.write(get(endpoint)).message()).head)).toBe(200)
    expect((await client.write(get(endpoint)).message()).body).toContain('GET / HTTP/1.1')
    expect(origin.connections).toHaveLength(2)
  })

  test.for([
    ['a POST is not, though it is empty', 'POST', 'Content-Length: 0\r\n\r\n'],
    ['a PUT with a body is not', 'PUT', 'Content-Length: 2\r\n\r\nok'],
  ] as const)('%s', async ([, method, rest]) => {
    const { origin, client, endpoint } = await startConnector(fickle())
    await client.write(get(endpoint)).message()
    client.write(`${method} / HTTP/1.1\r\n${signed(endpoint)}${rest}`)
    expect(errorIn((await client.message()).head)).toBe('connection-lost')
    expect(origin.connections).toHaveLength(1)
  })

  test('a GET is not sent again once a byte of an answer has come', async () => {
    let connections = 0
    const { origin, client, endpoint } = await startConnector(async (connection) => {
      connections++
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      await connection.until('\r\n\r\n')
      connection.socket.end('HTTP/1.1 2')
    })
    await client.write(get(endpoint)).message()
    expect(errorIn((await client.write(get(endpoint)).message()).head)).toBe('connection-lost')
    expect([connections, origin.connections.length]).toEqual([1, 1])
  })

  test('a GET is sent again only once', async () => {
    const { origin, client, endpoint } = await startConnector(async (connection) => {
      if (origin.connections.length > 1) return odd.reset(connection)
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      return odd.reset(connection)
    })
    await client.write(get(endpoint)).message()
    expect(errorIn((await client.write(get(endpoint)).message()).head)).toBe('connection-lost')
    expect(origin.connections).toHaveLength(2)
  })

  test('an unused connection is closed before origins close theirs', async () => {
    const { origin, client, endpoint } = await startConnector(odd.echo, { http1: { reuseTimeout: 30 } })
    await client.write(get(endpoint)).message()
    await vi.waitFor(() => expect(origin.connections[0]?.closed).toBe('fin'))
  })
})

test("an answer that an origin sends without a question is nobody's answer", async () => {
  const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'
  const { origin, client, endpoint } = await startConnector(odd.echo)
  await client.write(get(endpoint)).message()
  origin.connections[0]?.write(forged)
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  for (let i = 0; i < 3; i++) {
    const { body } = await client.write(get(endpoint)).message()
    expect(body).not.toContain('forged')
  }
})

test("a second answer behind the first is nobody's answer", async () => {
  const { client, endpoint } = await startConnector(
    odd.answer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'),
  )
  for (let i = 0; i < 3; i++) {
    const { body } = await client.write(get(endpoint)).message()
    expect(body).not.toContain('forged')
  }
})
