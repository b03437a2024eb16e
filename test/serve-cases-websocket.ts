import { once } from 'node:events'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import type { Cases } from './serve-cases.ts'
import { hosts, ports, type World } from './serve-world.ts'

const schemes = ['ws', 'wss'] as const

/** A client over TLS or not, once it is open, and the first message that came. */
async function open({ site, authority }: World, scheme: (typeof schemes)[number]): Promise<WebSocket> {
  const port = scheme === 'ws' ? ports.http : ports.https
  const tls = { servername: hosts.webSocket, ca: authority }
  const socket = new WebSocket(`${scheme}://${site.address}:${port}/socket?q`, ['chat'], {
    headers: { host: hosts.webSocket },
    origin: 'https://page.example.test',
    ...tls,
    maxPayload: 16 * 1024 * 1024,
  })
  const [[early]] = await Promise.all([once(socket, 'message'), once(socket, 'open')])
  expect(String(early)).toBe('early')
  return socket
}

async function echo(socket: WebSocket, message: string | Buffer): Promise<string | Buffer> {
  const answered = once(socket, 'message')
  socket.send(message)
  const [data, isBinary] = await answered
  return isBinary ? data : String(data)
}

/** Code and reason. */
async function closing(socket: WebSocket): Promise<readonly [number, string]> {
  const [code, reason] = await once(socket, 'close')
  return [code, String(reason)]
}

export const webSocketCases: Cases = {
  'ws gets what its server says at once, and its messages back': async (world) => {
    for (const scheme of schemes) {
      const socket = await open(world, scheme)
      expect(await echo(socket, 'héllo')).toBe('héllo')
      expect(await echo(socket, '')).toBe('')
      expect(await echo(socket, Buffer.from([0, 255]))).toEqual(Buffer.from([0, 255]))
      socket.close(1000)
      expect(await closing(socket)).toEqual([1000, ''])
    }
  },
  'ws gets messages of 1 MB back, several at once': async (world) => {
    for (const scheme of schemes) {
      const socket = await open(world, scheme)
      const messages = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(1024 * 1024))
      const got: string[] = []
      const all = new Promise<void>((resolve) =>
        socket.on('message', (data) => {
          if (got.push(String(data)) === messages.length) resolve()
        }),
      )
      for (const message of messages) socket.send(message)
      await all
      expect(got.map((message, index) => message === messages[index])).toEqual([true, true, true, true])
      socket.terminate()
    }
  },
  'ws pings, and its server answers': async (world) => {
    const socket = await open(world, 'ws')
    const answered = once(socket, 'pong')
    socket.ping('are you there')
    const [data] = await answered
    expect(String(data)).toBe('are you there')
    socket.terminate()
  },
  'ws is told with which code its server closes, and the server with which code ws does': async (world) => {
    const socket = await open(world, 'wss')
    const closed = closing(socket)
    socket.send('close 4001')
    expect(await closed).toEqual([4001, 'as told'])
    const other = await open(world, 'wss')
    other.close(4002, 'enough')
    await closing(other)
    await world.running.until(() => world.webSocket.closings.includes(4002))
  },
  'a ws that vanishes is a connection lost to its server': async (world) => {
    const before = world.webSocket.closings.length
    const socket = await open(world, 'ws')
    socket.terminate()
    await world.running.until(() => world.webSocket.closings.length > before)
    expect(world.webSocket.closings.at(-1)).toBe(1006)
  },
  'ws is refused with the status of an origin that is none of its servers': async ({ site }) => {
    const socket = new WebSocket(`ws://${site.address}:${ports.http}/status/403`, { headers: { host: hosts.http1 } })
    socket.on('error', () => {})
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(403)
    socket.terminate()
  },
}
