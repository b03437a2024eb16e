import { once } from 'node:events'
import { createServer, type Server, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { descriptorOf } from '../sys/descriptor.ts'
import { setMd5Key } from '../sys/tcp-options.ts'
import type { Capabilities } from './capabilities.ts'
import { dial } from './dial.ts'
import { keepalive, type Message, MessageReader, MessageType, message } from './message.ts'
import { decodeNotification, type Notification } from './notification.ts'
import { encodeOpen } from './open.ts'
import { Peer } from './peer.ts'

// A router that says what it likes, on a socket, to a peer of ours that dials it.

const loopback = { octets: Uint8Array.of(127, 0, 0, 1), scope: 0 }
const identifier = Uint8Array.of(198, 51, 100, 1)
const text = (key: string): Uint8Array => new TextEncoder().encode(key)

const capabilities: Capabilities = {
  families: ['ipv4'],
  fourOctetAs: undefined,
  routeRefresh: true,
  enhancedRouteRefresh: false,
  extendedMessage: false,
  extendedNextHop: false,
  gracefulRestart: undefined,
  role: undefined,
}

let server: Server
let peer: Peer
let log: string[]
const sockets = new Set<Socket>()

beforeEach(async () => {
  log = []
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  peer.stop('')
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  server.close()
})

/** The router's end of the connection that our peer has opened. */
async function dialled(key?: Uint8Array): Promise<Wire> {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('nobody listens')
  const path = { peer: loopback, port: address.port, local: undefined, device: undefined, key }
  const hops = { sent: undefined, received: undefined }
  const connected = once(server, 'connection')
  peer = new Peer(
    {
      asn: 65_001,
      identifier: '192.0.2.1',
      holdTime: 3,
      keepaliveTime: 1,
      peerAsn: 65_000,
      capabilities: { ...capabilities, fourOctetAs: 65_001 },
      connectRetryTime: 1,
      isPassive: false,
    },
    new Map(),
    {
      dial: () => dial({ ...path, hops }),
      random: () => 0,
      now: () => 0,
      interfaces: () => new Map(),
      log: (line) => log.push(line),
    },
  )
  peer.start()
  const [socket] = await connected
  return new Wire(socket)
}

class Wire {
  readonly socket: Socket
  readonly #messages: AsyncIterator<Message>

  constructor(socket: Socket) {
    this.socket = socket
    this.#messages = messagesOf(socket)
  }

  /** The body of the next message, which is of this type. */
  async expect(type: MessageType): Promise<Uint8Array> {
    const { value } = await this.#messages.next()
    expect(value?.type).toBe(type)
    return value?.body ?? new Uint8Array()
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const each of messages) this.socket.write(each)
  }
}

async function* messagesOf(socket: Socket): AsyncGenerator<Message, undefined> {
  const reader = new MessageReader()
  for await (const chunk of socket) for (const { type, body } of reader.read(chunk)) yield { type, body: body.slice() }
}

const open = (asn = 65_000, holdTime = 9, more: Partial<Capabilities> = {}): Uint8Array =>
  encodeOpen(asn, holdTime, identifier, { ...capabilities, fourOctetAs: asn, ...more })

/** An OPEN with other octets at one place of its body. */
function bent(at: number, ...octets: readonly number[]): Uint8Array {
  const bytes = open()
  bytes.set(octets, 19 + at)
  return bytes
}

const refused: readonly (readonly [string, Uint8Array, number, number, readonly number[]])[] = [
  ['of BGP version 3', bent(0, 3), 2, 1, [0, 4]],
  ['of another AS', open(65_009), 2, 2, []],
  ['with the identifier 0.0.0.0', bent(5, 0, 0, 0, 0), 2, 3, []],
  ['with an optional parameter that is none', bent(10, 1), 2, 4, []],
  ['with a hold time of 1 second', open(65_000, 1), 2, 6, []],
  ['without a family of ours', open(65_000, 9, { families: ['ipv6'] }), 2, 7, [1, 4, 0, 1, 0, 1]],
  ['with capabilities that are cut off', bent(9, 1), 2, 0, []],
  ['with a marker that is not all ones', open().fill(0, 3, 4), 1, 1, []],
  ['with a length that no OPEN has', open().fill(0, 16, 17).fill(20, 17, 18), 1, 2, [0, 20]],
  ['that is of no type', open().fill(9, 18, 19), 1, 3, [9]],
  ['that is a KEEPALIVE', keepalive(), 5, 1, []],
]

for (const [what, octets, code, subcode, data] of refused) {
  test(`an OPEN ${what} is answered with NOTIFICATION ${code}/${subcode}`, async () => {
    const wire = await dialled()
    await wire.expect(MessageType.open)
    wire.send(octets)
    expect(plain(decodeNotification(await wire.expect(MessageType.notification)))).toEqual({ code, subcode, data })
  })
}

const plain = ({ code, subcode, data }: Notification): object => ({ code, subcode, data: [...data] })

test('of two connections the one of the end with the greater identifier stays', async () => {
  const first = await dialled()
  await first.expect(MessageType.open)
  first.send(open())
  await first.expect(MessageType.keepalive)
  const inward = createServer((socket) => peer.accept(socket))
  inward.listen(0, '127.0.0.1')
  await once(inward, 'listening')
  const address = inward.address()
  if (typeof address !== 'object' || address === null) throw new Error('nobody listens')
  const second = new Wire(new Socket().connect(address.port, '127.0.0.1'))
  sockets.add(second.socket)
  await second.expect(MessageType.open)
  second.send(open())
  expect(plain(decodeNotification(await first.expect(MessageType.notification)))).toEqual({
    code: 6,
    subcode: 7,
    data: [],
  })
  await second.expect(MessageType.keepalive)
  second.send(keepalive())
  // Its End-of-RIB.
  await second.expect(MessageType.update)
  expect(peer.status().state).toBe('established')
  inward.close()
})

test('a key that changes at both ends leaves the session as it is', async () => {
  const listening = descriptorOf(server)
  if (listening === undefined) throw new Error('nobody listens')
  setMd5Key(listening, loopback, text('before'))
  const wire = await dialled(text('before'))
  await wire.expect(MessageType.open)
  wire.send(open(), keepalive())
  await wire.expect(MessageType.keepalive)
  await wire.expect(MessageType.update)
  peer.setKey(loopback, text('after'))
  // Until the router has the key, too, nothing comes through.
  wire.send(message(MessageType.routeRefresh, [0, 1, 0, 1]))
  const accepted = descriptorOf(wire.socket)
  if (accepted === undefined) throw new Error('the connection is gone')
  setMd5Key(accepted, loopback, text('after'))
  for (let beat = 0; beat < 3; beat++) {
    await wire.expect(MessageType.keepalive)
    wire.send(keepalive())
  }
  expect([peer.status().state, log.filter((line) => /session (up|down)/.test(line))]).toEqual([
    'established',
    [expect.stringContaining('session up')],
  ])
})
