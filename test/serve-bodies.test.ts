import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { interim, type Origin, silent, startOrigin } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { backend, gateway, gatewayClass, http, pathPrefix, route, service } from './serve-manifests.ts'
import { type Running, Site } from './serve-rig.ts'

// What origins may do to their clients, and what either end must hear of when the other goes away in the middle of a body.
// What clients may do is in serve-attacks.test.ts.

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

const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole'

test('an origin that says fewer bytes than it sends gives no client what it sends more', async () => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
  const origin = await start(async (connection) => {
    for (;;) {
      const { head } = await connection.message()
      connection.write(head.startsWith('GET /lie') ? whole + evil : whole)
    }
  })
  for (const path of ['/lie', '/truth', '/lie', '/truth']) {
    const asking = await client()
    asking.write(`${head(`GET ${path}`)}Connection: close\r\n\r\n`)
    expect(await asking.rest()).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nwhole$/)
  }
  // None goes on that has sent too much.
  expect(origin.connections.length).toBe(3)
})

test.for([
  ['is shorter than it says', 'Content-Length: 10\r\n\r\nhello'],
  ['has a chunk that is shorter than it says', 'Transfer-Encoding: chunked\r\n\r\n8\r\nhello\r\n0\r\n\r\n'],
] as const)('an answer that %s does not pass for the whole', async ([, bytes]) => {
  await start(async (connection) => {
    await connection.message()
    connection.socket.end(`HTTP/1.1 200 OK\r\n${bytes}`)
  })
  const asking = await client()
  asking.write(`${head('GET /')}Connection: close\r\n\r\n`)
  // How much of it came together with its fault is the network's to say.
  expect(await asking.rest()).toMatch(
    /^HTTP\/1\.1 (502 |200 [\s\S]*(Content-Length: 10\r\n[\s\S]*\r\n\r\nhello|\r\nhello\r\n0\r\n)$)/,
  )
})

test.for([
  ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nwhole'],
  ['a length that is none', 'Content-Length: +5\r\n\r\nwhole'],
  ['a length beside a coding', 'Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\nwhole'],
  ['a head without end', `${'X: y\r\n'.repeat(20_000)}`],
] as const)('an answer with %s is a 502', async ([, bytes]) => {
  await start(async (connection) => {
    await connection.message()
    connection.write(`HTTP/1.1 200 OK\r\n${bytes}`)
  })
  const asking = await client()
  asking.write(`${head('GET /')}\r\n`)
  expect(await asking.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 [\s\S]*^landfall-reason: invalid-response\r$/m)
})

test('what an origin says before its answer comes before it: 103, but no 100 that nobody waits for', async () => {
  await start(interim)
  const asking = await client()
  asking.write(`${head('GET /')}Connection: close\r\n\r\n`)
  expect((await asking.rest()).match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 200'])

  const session = connectHttp2(`http://${site.address}:${port}`)
  const stream = session.request({ ':path': '/' })
  const statuses: unknown[] = []
  stream.on('headers', (fields) => statuses.push(fields[':status']))
  const [fields] = await once(stream, 'response')
  expect([...statuses, fields[':status']]).toEqual([103, 200])
  session.destroy()
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
