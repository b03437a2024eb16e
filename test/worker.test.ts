import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GatewayTable } from '../control/table.ts'
import type { Backend, Host } from '../proto/gen/route_table.ts'
import { type Edge, gateway, startEdge } from './edge.ts'
import {
  backend,
  exact,
  host,
  listener,
  match,
  mirror,
  prefix,
  redirect,
  ref,
  requestHeaders,
  responseHeaders,
  rewrite,
  rule,
} from './engine-tables.ts'
import { closedEndpoint, echo, type Origin, silent, startHttpOrigin, startOrigin } from './origins.ts'

let edge: Edge
const origins: Origin[] = []

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(async () => {
  await edge.close()
  for (const origin of origins) await origin.close()
})

async function origin(...args: Parameters<typeof startOrigin>): Promise<Origin> {
  const started = await startOrigin(...args)
  origins.push(started)
  return started
}

async function httpOrigin(...args: Parameters<typeof startHttpOrigin>): Promise<Origin> {
  const started = await startHttpOrigin(...args)
  origins.push(started)
  return started
}

const table = (hosts: readonly Host[], backends: readonly Backend[], trustedHops = 0): GatewayTable => ({
  gateway,
  controller: 'landfall.dev/edge-controller',
  addresses: [],
  listeners: [listener()],
  hosts,
  backends,
  settings: { hideReason: false, trustedHops, clientCertificate: '' },
})

const at = (...all: readonly Origin[]): Backend => backend({ endpoints: all.map(({ endpoint }) => endpoint) })

/** Header lines of a request as the origin got it, by lower-case name. */
const linesOf = (echoed: string, name: string): string[] =>
  echoed
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim())

test('the Host header reaches the origin byte for byte', async () => {
  await edge.publish(table([host()], [at(await origin(echo))]))
  const { body } = await edge.ask({ path: '/', host: 'Very.Specific.com:1234' })
  expect(linesOf(body, 'host')).toEqual(['Very.Specific.com:1234'])
})

test('the path that is matched is the path that is sent', async () => {
  const upstream = await origin(echo)
  await edge.publish(table([host({ matches: [match({ path: prefix('/open') })] })], [at(upstream)]))
  for (const path of ['/secret/../open/a', '/secret/%2e%2e/open/a', '/secret/.%2E/open/a', '/secret\\..\\open/a']) {
    const { status, body } = await edge.ask({ path })
    expect([path, status, body.split(' ')[1]]).toEqual([path, 200, '/open/a'])
  }
  for (const path of ['/open/../secret', '/open/%2e%2e/secret', '/open\\..\\secret']) {
    expect((await edge.ask({ path })).status).toBe(404)
  }
  const { body } = await edge.ask({ path: '/open//a%2Fb;c?q=%20+&q=2' })
  expect(body.split(' ')[1]).toBe('/open//a%2Fb;c?q=%20+&q=2')
})

test('nothing that a client writes passes for what Landfall adds', async () => {
  await edge.publish(table([host()], [at(await origin(echo))]))
  const { body } = await edge.ask({
    path: '/',
    headers: {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-port': '443',
      forwarded: 'for=6.6.6.6',
      'landfall-origin': 'forged',
      'landfall-host': 'evil.example',
      'landfall-timeout': '1',
      connection: 'x-secret, x-forwarded-for, keep-alive',
      'x-secret': 'dropped',
      'proxy-authorization': 'Basic eDp5',
      'proxy-connection': 'keep-alive',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      upgrade: 'h2c',
    },
  })
  expect(linesOf(body, 'x-forwarded-for')).toEqual(['127.0.0.1'])
  expect(linesOf(body, 'x-forwarded-proto')).toEqual(['http'])
  expect(linesOf(body, 'host')).toEqual(['example.com'])
  for (const name of [
    'x-forwarded-host',
    'x-forwarded-port',
    'forwarded',
    'x-secret',
    'proxy-authorization',
    'proxy-connection',
    'keep-alive',
    'te',
    'upgrade',
    'landfall-origin',
    'landfall-host',
    'landfall-timeout',
  ]) {
    expect([name, linesOf(body, name)]).toEqual([name, []])
  }
})

test('trusted hops are believed for the addresses that they appended', async () => {
  await edge.publish(table([host()], [at(await origin(echo))], 1))
  const { body } = await edge.ask({
    path: '/',
    headers: { 'x-forwarded-for': '6.6.6.6, 198.51.100.7', 'x-forwarded-proto': 'https' },
  })
  expect(linesOf(body, 'x-forwarded-for')).toEqual(['198.51.100.7, 127.0.0.1'])
  expect(linesOf(body, 'x-forwarded-proto')).toEqual(['https'])
})

test('two Cookie lines become one that a server can read', async () => {
  await edge.publish(table([host()], [at(await origin(echo))]))
  const client = await edge.raw()
  client.write('GET / HTTP/1.1\r\nHost: example.com\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n')
  const { body } = await client.message()
  expect(linesOf(body, 'cookie')).toEqual(['a=1; b=2'])
  client.socket.destroy()
})

test('filters change headers both ways, and each added value is a line of its own', async () => {
  const upstream = await httpOrigin((request, response) => {
    response.setHeader('x-old', 'origin')
    response.setHeader('set-cookie', ['a=1', 'b=2'])
    response.end(request.rawHeaders.join('\n'))
  })
  const filters = [
    requestHeaders({
      set: [{ name: 'X-Set', value: 'yes' }],
      add: [{ name: 'X-Add', value: 'more' }],
      remove: ['x-gone'],
    }),
    responseHeaders({ add: [{ name: 'X-New', value: '1' }], remove: ['X-Old'] }),
  ]
  await edge.publish(table([host({ rules: [rule({ filters })] })], [at(upstream)]))
  const { headers, body } = await edge.ask({ path: '/', headers: { 'x-add': 'first', 'x-gone': '1' } })
  const sent = body.toLowerCase()
  expect(sent).toContain('x-set\nyes')
  expect(sent).not.toContain('x-gone')
  expect(
    sent
      .split('x-add\n')
      .slice(1)
      .map((rest) => rest.split('\n')[0]?.replace(/,\s*/g, ',')),
  ).toEqual(expect.arrayContaining([expect.stringMatching(/first|more/)]))
  expect(headers['x-new']).toBe('1')
  expect(headers['x-old']).toBeUndefined()
  expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
})

test('redirects are answered, and those of the origin are passed on', async () => {
  const upstream = await httpOrigin((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())
  const hosts = [
    host({
      matches: [match({ path: exact('/old'), rule: 0 }), match({ rule: 1 })],
      rules: [rule({ filters: [redirect({ hostname: 'new.example', status: 301 })] }), rule()],
    }),
  ]
  await edge.publish(table(hosts, [at(upstream)]))
  const moved = await edge.ask({ path: '/old?a=1' })
  expect([moved.status, moved.headers.location]).toEqual([301, 'http://new.example/old?a=1'])
  const theirs = await edge.ask({ path: '/x' })
  expect([theirs.status, theirs.headers.location]).toEqual([302, '/elsewhere'])
})

test('a rewritten host and path reach the origin, the query with them', async () => {
  const filters = [rewrite({ hostname: 'inner.example', path: { kind: 0, value: '/new' } })]
  await edge.publish(table([host({ rules: [rule({ filters })] })], [at(await origin(echo))]))
  const { body } = await edge.ask({ path: '/old?x=1' })
  expect(body.split(' ')[1]).toBe('/new?x=1')
  expect(linesOf(body, 'host')).toEqual(['inner.example'])
})

test('bodies stream in both directions', async () => {
  const upstream = await httpOrigin((request, response) => {
    request.on('data', (chunk: Buffer) => response.write(chunk.toString().toUpperCase()))
    request.on('end', () => response.end())
  })
  await edge.publish(table([host()], [at(upstream)]))
  const client = await edge.raw()
  client.write('POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  await client.until('ONE')
  client.write('3\r\ntwo\r\n')
  await client.until('TWO')
  client.write('0\r\n\r\n')
  await client.until('0\r\n\r\n')
  client.socket.destroy()
})

test('a GET may have a body', async () => {
  const upstream = await httpOrigin(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.end(`${request.method} ${body} ${request.headers.host} ${request.url}`)
  })
  await edge.publish(table([host()], [at(upstream)]))
  const { body } = await edge.ask({
    path: '/_search?q',
    method: 'GET',
    body: '{"query":{}}',
    headers: { 'content-length': '12' },
  })
  expect(body).toBe('GET {"query":{}} example.com /_search?q')
})

test('a WebSocket is upgraded and carries messages both ways', async () => {
  const { createHash } = await import('node:crypto')
  const upstream = await origin(async (connection) => {
    const head = await connection.until('\r\n\r\n')
    const key = /sec-websocket-key: (.*)\r/i.exec(head)?.[1] ?? ''
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    connection.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    connection.socket.write(Buffer.from([0x81, 5, ...Buffer.from('hello')]))
    const frame = Buffer.from(await connection.take(2 + 4 + 2), 'latin1')
    const mask = frame.subarray(2, 6)
    const text = frame.subarray(6).map((byte, index) => byte ^ (mask[index] ?? 0))
    connection.socket.write(Buffer.from([0x81, 2, ...text]))
  })
  await edge.publish(table([host()], [at(upstream)]))
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/chat`)
  const [first] = await once(socket, 'message')
  expect(first.data).toBe('hello')
  socket.send('hi')
  const [second] = await once(socket, 'message')
  expect(second.data).toBe('hi')
  socket.close()
})

test('a request timeout cuts a response that is already streaming', async () => {
  const upstream = await httpOrigin((_, response) => response.write('the beginning'))
  const timeouts = { requestMs: 300, backendRequestMs: 0 }
  await edge.publish(table([host({ rules: [rule({ timeouts })] })], [at(upstream)]))
  await expect(edge.ask({ path: '/' })).rejects.toThrow(/aborted|socket hang up|ECONNRESET/)
})

test('a backend timeout is a 504 that says so', async () => {
  const timeouts = { requestMs: 0, backendRequestMs: 100 }
  await edge.publish(table([host({ rules: [rule({ timeouts })] })], [at(await origin(silent))]))
  const { status, headers } = await edge.ask({ path: '/' })
  expect([status, headers['landfall-reason']]).toEqual([504, 'backend-timeout'])
})

test('a listed status is tried again with the same body, and the last one goes out as it is', async () => {
  const bodies: string[] = []
  const upstream = await httpOrigin(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    response.writeHead(request.url === '/never' || bodies.length < 3 ? 503 : 200).end('done')
  })
  const retry = { codes: [503], attempts: 2, backoffMs: 1 }
  await edge.publish(table([host({ rules: [rule({ retry })] })], [at(upstream)]))
  expect((await edge.ask({ path: '/', method: 'POST', body: 'again' })).status).toBe(200)
  expect(bodies).toEqual(['again', 'again', 'again'])
  bodies.length = 0
  const { status, headers } = await edge.ask({ path: '/never' })
  expect([status, headers['landfall-reason'], bodies.length]).toEqual([503, undefined, 3])
})

test('a retry goes to another endpoint than the one that failed', async () => {
  const upstream = await origin(echo)
  const endpoints = [await closedEndpoint(), upstream.endpoint]
  const retry = { codes: [], attempts: 1, backoffMs: 0 }
  await edge.publish(table([host({ rules: [rule({ retry })] })], [backend({ endpoints })]))
  for (let i = 0; i < 6; i++) expect((await edge.ask({ path: '/' })).status).toBe(200)
})

test('an endpoint that keeps failing is left out', async () => {
  const upstream = await origin(echo)
  const endpoints = [await closedEndpoint(), upstream.endpoint]
  await edge.publish(
    table(
      [host()],
      [backend({ key: 'a/ejected:80', endpoints })].map((each) => ({ ...each, key: 'a/web:80' })),
    ),
  )
  const statuses: number[] = []
  for (let i = 0; i < 30; i++) statuses.push((await edge.ask({ path: '/' })).status)
  expect(statuses).toContain(502)
  expect(statuses.slice(-10)).toEqual(Array(10).fill(200))
})

test('a mirror that hangs holds back neither the answer nor a large body', async () => {
  const upstream = await httpOrigin(async (request, response) => {
    let size = 0
    for await (const chunk of request) size += chunk.length
    response.end(String(size))
  })
  const copy = await origin(silent)
  await edge.publish(
    table(
      [host({ rules: [rule({ filters: [mirror({ backend: 'a/copy:80' })] })] })],
      [at(upstream), { ...at(copy), key: 'a/copy:80' }],
    ),
  )
  const size = 20 * 1024 * 1024
  const { body } = await edge.ask({ path: '/', method: 'POST', body: Buffer.alloc(size, 'x') })
  expect(body).toBe(String(size))
})

test('a mirror gets the same request, and its answer reaches nobody', async () => {
  const upstream = await origin(echo)
  const copies: string[] = []
  const copy = await httpOrigin(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    copies.push(`${request.method} ${request.url} ${request.headers.host} ${body}`)
    response.writeHead(500).end('from the mirror')
  })
  await edge.publish(
    table(
      [host({ rules: [rule({ filters: [mirror({ backend: 'a/copy:80' })] })] })],
      [at(upstream), { ...at(copy), key: 'a/copy:80' }],
    ),
  )
  const { status, body } = await edge.ask({ path: '/a?b=c', method: 'PUT', body: 'twice' })
  expect(status).toBe(200)
  expect(body).not.toContain('from the mirror')
  await expect.poll(() => copies).toEqual(['PUT /a?b=c example.com twice'])
})

test('a session stays with its endpoint', async () => {
  const one = await httpOrigin((_, response) => response.end('one'))
  const two = await httpOrigin((_, response) => response.end('two'))
  const session = { kind: 0 as const, name: 'sid', absoluteTimeout: 0, permanent: false }
  await edge.publish(table([host({ rules: [rule({ session })] })], [at(one, two)]))
  const first = await edge.ask({ path: '/' })
  const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  expect(cookie).toMatch(/^sid=/)
  for (let i = 0; i < 8; i++) expect((await edge.ask({ path: '/', headers: { cookie } })).body).toBe(first.body)
})

test('a weight of zero with the others unusable is a 500, and a reason that can be read', async () => {
  await edge.publish(
    table([host({ rules: [rule({ backends: [ref({ backend: '', invalid: 'BackendNotFound' })] })] })], []),
  )
  const { status, headers } = await edge.ask({ path: '/' })
  expect([status, headers['landfall-reason']]).toEqual([500, 'invalid-backend'])
})

test("Landfall's own paths are for who has the token, and are never routed", async () => {
  await edge.publish(table([host()], [at(await origin(echo))]))
  expect((await edge.ask({ path: '/.well-known/landfall/health' })).status).toBe(401)
  expect((await edge.ask({ path: '/x/../.well-known/landfall/health' })).status).toBe(401)
  const health = JSON.parse((await edge.admin('health')).body)
  expect(health).toMatchObject({ health: 'ok', problems: [], gateways: [{ gateway }] })
  await edge.ask({ path: '/' })
  const { body } = await edge.admin('metrics')
  expect(body).toMatch(/^landfall_requests_total\{gateway="infra\/edge",route="HTTPRoute a\/b",code="200"\} \d+$/m)
})

test('OPTIONS * has no path to route and is a 400', async () => {
  await edge.publish(table([host()], [at(await origin(echo))]))
  const client = await edge.raw()
  client.write('OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n')
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 400 .*landfall-reason: bad-request/s)
  client.socket.destroy()
})

test('a Host that is more than a host is a 400', async () => {
  await edge.publish(table([host()], [at(await origin(echo))]))
  for (const name of ['user@example.com', 'example.com/x', 'example.com:80:80', 'exa%6dple.com']) {
    expect([name, (await edge.ask({ path: '/', host: name })).status]).toEqual([name, 400])
  }
  for (const name of ['EXAMPLE.com:80', 'example.com.', '[2001:DB8::1]', '127.0.0.1:8080']) {
    expect([name, (await edge.ask({ path: '/', host: name })).status]).toEqual([name, 200])
  }
})

test('errors of a request by gRPC-Web are of its kind', async () => {
  const nowhere = await closedEndpoint()
  const hosts = [host({ matches: [match({ path: prefix('/a.B') })] })]
  await edge.publish(table(hosts, [backend({ endpoints: [nowhere] })]))
  const ask = (path: string, contentType: string) =>
    edge.ask({ path, method: 'POST', headers: { 'content-type': contentType }, body: Buffer.alloc(5) })
  for (const [path, status, why] of [
    ['/a.B/C', '14', 'connect-failed'],
    ['/c.D/E', '12', 'no-route'],
  ] as const) {
    const { status: code, headers, body } = await ask(path, 'application/grpc-web+proto')
    expect([code, headers['content-type'], headers['grpc-status'], headers['grpc-message'], body]).toEqual([
      ...[200, 'application/grpc-web+proto', status, `landfall: ${why}`, ''],
    ])
  }
  expect((await ask('/c.D/E', 'application/json')).status).toBe(404)
})
