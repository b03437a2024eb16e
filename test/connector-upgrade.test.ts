import { expect, test, vi } from 'vitest'
import { type RigOptions, type Serve, signed, startConnector } from './connector-rig.ts'
import * as odd from './origins.ts'

async function start(serve: Serve, options: RigOptions = {}) {
  const { origin, rig, client, endpoint } = await startConnector(serve, options)
  const ask = (more = '', version = 13) =>
    `GET /chat?room=1 HTTP/1.1\r\n${signed(endpoint)}Connection: Upgrade\r\nUpgrade: WebSocket\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: ${version}\r\n${more}\r\n`
  return { origin, rig, client, ask, endpoint }
}

test('an upgrade to WebSocket reaches the origin with its headers, and the 101 comes back with its own', async () => {
  const { origin, client, ask } = await start(odd.upgradeEcho())
  client.write(ask('Origin: https://shop.example\r\nSec-WebSocket-Protocol: a, b\r\n'))
  expect(await client.until('\r\n\r\n')).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
  )
  expect(origin.connections[0]?.received).toBe(
    'GET /chat?room=1 HTTP/1.1\r\nHost: Shop.Example:8443\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Version: 13\r\nOrigin: https://shop.example\r\nSec-WebSocket-Protocol: a, b\r\n' +
      'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
})

test('bytes pass both ways', async () => {
  const { client, ask } = await start(odd.upgradeEcho())
  await client.write(ask()).until('\r\n\r\n')
  for (const text of ['one', '\x00\xff', 'x'.repeat(1_000_000)]) {
    expect(await client.write(text).take(text.length)).toBe(text)
  }
})

test('bytes that come right behind the heads are not lost', async () => {
  const { client, ask } = await start(odd.upgradeEcho('welcome'))
  client.write(`${ask()}early`)
  await client.until('\r\n\r\n')
  expect(await client.take(12)).toBe('welcomeearly')
})

test.for([5, 5_000_000])('%i bytes that come before the 101 wait for it', async (length) => {
  let agree = () => {}
  const { origin, client, ask } = await start(async (connection) => {
    const head = await connection.until('\r\n\r\n')
    await new Promise<void>((resolve) => {
      agree = resolve
    })
    connection.write(head.replace('GET /chat?room=1 HTTP/1.1', 'HTTP/1.1 101 OK'))
    connection.socket.on('data', (bytes) => connection.socket.write(bytes))
  })
  client.write(ask())
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('\r\n\r\n'))
  const early = 'x'.repeat(length)
  client.write(early)
  agree()
  await client.until('\r\n\r\n')
  expect(await client.take(length)).toBe(early)
})

test("a client's connection that served a request before can be upgraded, and the origin's is a fresh one", async () => {
  let connections = 0
  const { origin, client, ask, endpoint } = await start((connection) =>
    ++connections === 1 ? odd.echo(connection) : odd.upgradeEcho()(connection),
  )
  await client.write(`GET / HTTP/1.1\r\n${signed(endpoint)}\r\n`).message()
  await client.write(ask()).until('101 Switching Protocols')
  expect(origin.connections).toHaveLength(2)
})

test("the origin's refusal of an upgrade reaches the client as any response, and closes the connection", async () => {
  const { client, ask } = await start(
    odd.answer('HTTP/1.1 426 No\r\nSec-WebSocket-Version: 8\r\nContent-Length: 2\r\n\r\nno'),
  )
  const { head, body } = await client.write(ask('', 13)).message()
  expect(head).toMatch(
    /^HTTP\/1\.1 426 No\r\nSec-WebSocket-Version: 8\r\nContent-Length: 2\r\nConnection: close\r\nDate: .*\r\n\r\n$/,
  )
  expect(body).toBe('no')
  expect(await client.rest()).toBe('')
})

test.for([
  ['502 connection-lost', 'the origin closes', odd.closeEarly, ''],
  [
    '502 invalid-response',
    'the origin switches to something else',
    odd.answer('HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
    '',
  ],
  ['504 timeout', 'the origin is silent', odd.silent, 'landfall-timeout: 50\r\n'],
] as const)('an upgrade is answered %s when %s', async ([expected, , serve, more]) => {
  const { rig, client, ask } = await start(serve)
  const { head } = await client.write(ask(more)).message()
  expect(head).toContain(`HTTP/1.1 ${expected.split(' ')[0]} `)
  expect(head).toContain(`landfall-error: ${expected.split(' ')[1]}\r\n`)
  await client.rest()
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
})

test('landfall-timeout ends with the 101', async () => {
  const { rig, client, ask } = await start(odd.upgradeEcho())
  await client.write(ask('landfall-timeout: 100\r\n')).until('\r\n\r\n')
  const late = Date.now() + 200
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(late))
  expect(await client.write('still here').take(10)).toBe('still here')
  expect(rig.connector.counters.active).toBe(1)
})

test.for([
  [
    'to h2c',
    'GET / HTTP/1.1\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n',
    '',
  ],
  ['to TLS', 'GET / HTTP/1.1\r\n', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n', ''],
  ['to h2c or WebSocket', 'GET / HTTP/1.1\r\n', 'Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n', ''],
  ['to WebSocket, though not in Connection,', 'GET / HTTP/1.1\r\n', 'Upgrade: websocket\r\n', ''],
  ['to h2c, with a body,', 'POST / HTTP/1.1\r\n', 'Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n', 'ok'],
] as const)('an upgrade %s is passed on as a request without it', async ([, line, lines, body]) => {
  const { client, endpoint } = await start(odd.echo)
  const echoed = (await client.write(`${line}${signed(endpoint)}${lines}\r\n${body}`).message()).body
  expect(echoed).not.toMatch(/upgrade|settings/i)
  expect(echoed).toMatch(new RegExp(`\r\n\r\n${body}$`))
})

test.for([
  ['with a length', 'Content-Length: 5\r\n'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n'],
] as const)('an upgrade that has a body %s is passed on as a request without it', async ([, framing]) => {
  const { client, ask } = await start(odd.echo)
  const echoed = (await client.write(`${ask(framing)}5\r\nhello\r\n0\r\n\r\n`).message()).body
  expect(echoed).not.toMatch(/upgrade/i)
})

test('what the origin sent before it closed reaches the client', async () => {
  const { client, ask } = await start(async (connection) => {
    await odd.upgradeEcho()(connection)
    connection.socket.end('x'.repeat(5_000_000))
  })
  await client.write(ask()).until('\r\n\r\n')
  expect((await client.rest()).length).toBe(5_000_000)
})

test('what the client sent before it closed reaches the origin', async () => {
  const { origin, client, ask } = await start(async (connection) => {
    await connection.until('\r\n\r\n')
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  await client.write(ask()).until('\r\n\r\n')
  client.socket.end('x'.repeat(5_000_000))
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBe('fin'), { timeout: 10_000 })
  expect(origin.connections[0]?.received.length).toBeGreaterThan(5_000_000)
})

test('either side that goes away takes the other with it', async () => {
  const { origin, rig, client, ask } = await start(odd.upgradeEcho())
  await client.write(ask()).until('\r\n\r\n')
  client.socket.resetAndDestroy()
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())

  const second = await rig.client()
  await second.write(ask()).until('\r\n\r\n')
  origin.connections[1]?.socket.resetAndDestroy()
  await second.rest()
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
})

test('a client that goes away before the 101 takes the request to the origin with it', async () => {
  const { origin, rig, client, ask } = await start(odd.silent)
  client.write(ask())
  await vi.waitFor(() => expect(origin.connections[0]?.received).toContain('\r\n\r\n'))
  client.socket.destroy()
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
})

test('tunnels do not count among the requests under way to an endpoint', async () => {
  const { rig, ask } = await start(odd.upgradeEcho(), { http1: { requestsPerOrigin: 1 } })
  for (let i = 0; i < 3; i++) {
    const client = await rig.client()
    expect(await client.write(ask()).until('\r\n')).toContain('101')
  }
})

test('a tunnel that is idle for too long is cut', async () => {
  const { origin, client, ask } = await start(odd.upgradeEcho(), { limits: { tunnelIdleTimeout: 50 } })
  await client.write(ask()).until('\r\n\r\n')
  expect(await client.rest()).toBe('')
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
})
