import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Origin, silent, startOrigin } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { backend, gateway, gatewayClass, http, pathPrefix, route, service } from './serve-manifests.ts'
import { type Running, Site } from './serve-rig.ts'

// What either end must hear of when the other goes away in the middle of a body.

const port = 8080

let site: Site
let running: Running
const origins: Origin[] = []

beforeEach(async () => {
  site = await Site.create()
})
afterEach(async () => {
  await site.close()
  await Promise.all(origins.splice(0).map((origin) => origin.close()))
})

/** A Gateway with the rule; `serve` speaks for the Service "origin", and "mirror" never answers. */
async function start(serve: (connection: RawConnection) => void | Promise<void>, rule: object = {}): Promise<Origin> {
  const origin = await startOrigin(serve)
  const mirror = await startOrigin(silent)
  origins.push(origin, mirror)
  await site.write('site', [
    gatewayClass,
    gateway(site.address, [http(port)]),
    route('HTTPRoute', 'origin', {
      rules: [{ matches: [pathPrefix('/')], backendRefs: [backend('origin')], ...rule }],
    }),
    ...service('origin', [origin.endpoint]),
    ...service('mirror', [mirror.endpoint]),
  ])
  running = await site.start([port])
  return origin
}

const client = (): Promise<RawConnection> => RawConnection.open(port, site.address)
const head = (line: string): string => `${line} HTTP/1.1\r\nHost: a.test\r\n`

/** Milliseconds from now until the origin's connection is closed. */
async function untilTold(origin: Origin): Promise<number> {
  const since = performance.now()
  const [connection] = origin.connections
  while (connection?.closed === undefined && performance.now() - since < 5_000)
    await new Promise((resolve) => setTimeout(resolve, 1))
  return performance.now() - since
}

/** Milliseconds. Other tests may have the processor meanwhile, so that one that was late is tried again. */
const soon = 50
const again = { retry: 3 }

test('an origin hears within 50 ms that its client has left in the middle of an upload', again, async () => {
  const origin = await start(silent)
  const leaving = await client()
  leaving.write(`${head('POST /up')}Content-Length: 1000\r\n\r\nhalf`)
  await running.until(() => origin.connections[0]?.received.endsWith('half') === true)
  leaving.socket.destroy()
  expect(await untilTold(origin)).toBeLessThan(soon)
})

test('an origin hears within 50 ms that its client has left in the middle of an answer', again, async () => {
  const origin = await start(async (connection) => {
    await connection.until('\r\n\r\n')
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf')
  })
  const leaving = await client()
  leaving.write(`${head('GET /')}\r\n`)
  await leaving.until('half')
  leaving.socket.destroy()
  expect(await untilTold(origin)).toBeLessThan(soon)
})

test('an origin hears within 50 ms that a stream of HTTP/2 was reset', again, async () => {
  const origin = await start(silent)
  const session = connectHttp2(`http://${site.address}:${port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/up', 'content-length': 1_000 })
  stream.on('error', () => {})
  stream.write('half')
  await running.until(() => origin.connections[0]?.received.endsWith('half') === true)
  stream.close(8)
  expect(await untilTold(origin)).toBeLessThan(soon)
  session.destroy()
})

test('a client is told that an origin has died in the middle of an answer, and does not take it for the whole', async () => {
  for (const framing of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
    const body = framing.startsWith('T') ? '4\r\nhalf\r\n' : 'half'
    const origin = await startOrigin(async (connection) => {
      await connection.until('\r\n\r\n')
      connection.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${body}`)
      connection.socket.end()
    })
    origins.push(origin)
    await site.write('site', [
      gatewayClass,
      gateway(site.address, [http(port)]),
      route('HTTPRoute', 'origin'),
      ...service('origin', [origin.endpoint]),
    ])
    running = await site.start([port])
    const asking = await client()
    asking.write(`${head('GET /')}\r\n`)
    const answer = await asking.rest()
    expect([framing, answer.includes('half'), answer.includes('0\r\n\r\n')]).toEqual([framing, true, false])

    const session = connectHttp2(`http://${site.address}:${port}`)
    const stream = session.request({ ':path': '/' })
    stream.resume()
    const [error] = await once(stream, 'error')
    expect(error.code).toBe('ERR_HTTP2_STREAM_ERROR')
    session.destroy()
    await running.stop()
  }
})

test('an origin that never answers costs its client a 504 in time, and other clients nothing', async () => {
  const hanging = { timeouts: { request: '300ms' } }
  await start(silent, hanging)
  const asking = await client()
  asking.write(`${head('GET /')}\r\n`)
  expect(await asking.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 504 /)
})

test('a mirror that never answers costs nobody anything', async () => {
  const mirroring = { filters: [{ type: 'RequestMirror', requestMirror: { backendRef: backend('mirror') } }] }
  await start(async (connection) => {
    for (;;) {
      await connection.message()
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
  }, mirroring)
  const asking = await client()
  for (let n = 0; n < 100; n++) {
    asking.write(`${head('POST /')}Content-Length: 4\r\n\r\nbody`)
    expect(await asking.until('ok')).toMatch(/^HTTP\/1\.1 200 /)
  }
  // As many as a backend gets at most, and no more in memory.
  expect(origins[1]?.connections.length).toBe(100)
})
