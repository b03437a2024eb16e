import { FrameType, fieldBlock, type Http2Wire } from './http2-wire.ts'

const good: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
]

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Frames that are allowed, each round, and cost a server more than their client. */
export const floods: readonly (readonly [name: string, send: (wire: Http2Wire, round: number) => void])[] = [
  [
    'requests that are reset',
    (wire, at) => wire.request(2 * at + 1, good).send(FrameType.resetStream, 0, 2 * at + 1, number(8)),
  ],
  [
    'requests that make the server reset them',
    (wire, at) => wire.request(2 * at + 1, good, 0).send(FrameType.windowUpdate, 0, 2 * at + 1, number(0)),
  ],
  ['malformed requests', (wire, at) => wire.request(2 * at + 1, good.slice(1))],
  ['too many requests', (wire, at) => wire.request(2 * at + 1, good, 0)],
  ['SETTINGS', (wire) => wire.send(FrameType.settings, 0, 0)],
  ['PINGs', (wire) => wire.send(FrameType.ping, 0, 0, Buffer.alloc(8))],
  [
    'CONTINUATIONs',
    (wire, at) =>
      at === 0
        ? wire.send(FrameType.headers, 0, 1, fieldBlock(good))
        : wire.send(FrameType.continuation, 0, 1, fieldBlock([[`x${at}`, 'y']])),
  ],
  ['empty DATA', (wire, at) => (at === 0 ? wire.request(1, good, 0) : wire.send(FrameType.data, 0, 1))],
  ['PRIORITYs', (wire, at) => wire.send(FrameType.priority, 0, 2 * at + 1, Buffer.alloc(5))],
  ['unknown frames', (wire) => wire.send(99, 0, 0, Buffer.alloc(100))],
]

/** Sends a flood until the connection is closed, and resolves with the rounds that it took. */
export async function flood(wire: Http2Wire, [name, send]: (typeof floods)[number], most: number): Promise<number> {
  // Acknowledgements pile up only with those who do not read them.
  if (name === 'SETTINGS' || name === 'PINGs') wire.socket.pause()
  let rounds = 0
  for (; rounds < most && !wire.closed; rounds++) {
    send(wire, rounds)
    if (rounds % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return rounds
}
