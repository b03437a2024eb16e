import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { listenOnFreePort } from './free-port.ts'
import { ask, get, startHttp1 } from './front-end-http1-rig.ts'
import { within50ms } from './front-end-rig.ts'

const upgrade = (early = ''): string =>
  get('Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n') + early

/** A socket to an origin that sends back what it gets. */
async function echoSocket() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (bytes) => socket.write(bytes))
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
  })
  const socket = connect({ port: await listenOnFreePort(server), host: '127.0.0.1' })
  await once(socket, 'connect')
  server.close()
  return socket
}

test('an upgrade to WebSocket joins client and origin, with what either sent early', async () => {
  const { rig, client, asked } = await ask(upgrade('early '))
  expect(asked.request).toMatchObject({ upgrade: 'websocket', hasBody: false, method: 'GET' })
  expect(asked.request.headers).toEqual(['Sec-WebSocket-Version', '13'])
  expect(asked.request.header('upgrade')).toBe('WebSocket')
  expect(asked.trailers).toEqual([])
  client.write('bird ')
  await sleep(20)
  const socket = await echoSocket()
  asked.sink.upgraded('Switching Protocols', ['Sec-WebSocket-Accept', 'x'], socket, Buffer.from('rest '))
  expect(await client.until('\r\n\r\n')).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
  )
  expect(await client.until('bird ')).toBe('rest early bird ')
  client.write('late')
  expect(await client.until('late')).toBe('late')
  expect(rig.frontEnd.counters).toMatchObject({ active: 1, open: 1 })
  client.socket.end()
  await client.rest()
  await vi.waitFor(() => expect(rig.frontEnd.counters).toMatchObject({ active: 0, open: 0, abandoned: 0 }))
  expect(asked.aborted).toBe(false)
})

test('an upgrade that is refused is answered, however long the answer', async () => {
  const { client, asked } = await ask(upgrade())
  const block = Buffer.alloc(1 << 20, 'x')
  asked.sink.head(403, 'Forbidden', [])
  for (let sent = 0; sent < 8; sent++) {
    const before = asked.resumed
    if (!asked.sink.data(block)) await asked.until(({ resumed }) => resumed > before)
  }
  asked.sink.end([])
  const answer = await client.rest()
  expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n.*^Connection: close\r$/ms)
  expect(answer.endsWith('\r\n0\r\n\r\n')).toBe(true)
  expect(answer.length).toBeGreaterThan(8 << 20)
})

test('that a client has left while its upgrade waits is known in 50 ms', async () => {
  const { client, asked } = await ask(upgrade())
  client.socket.destroy()
  expect(await within50ms(asked.until(({ aborted }) => aborted))).toBe(true)
})

test('an upgrade that nobody asked for is a 502', async () => {
  const { client, asked } = await ask()
  const socket = await echoSocket()
  asked.sink.upgraded('Switching Protocols', [], socket, Buffer.alloc(0))
  expect((await client.message()).head).toMatch(/^HTTP\/1.1 502/)
  expect(socket.destroyed).toBe(true)
})

test('an upgrade behind a request that is not answered yet is cut', async () => {
  const rig = await startHttp1()
  const client = await rig.client()
  client.write(get() + upgrade())
  await client.rest()
  expect(rig.asked.map(({ request }) => request.upgrade)).toEqual([undefined])
})
