import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Frame types. RFC 9113 section 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

const endStream = 1
const acknowledged = 1
const endHeaders = 4

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const numbers = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
  return bytes
}

/** Literals, not indexed and not compressed. RFC 7541 section 6.2.2. */
function block(fields: readonly string[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([integer(value.length), Buffer.from(value, 'latin1')])
  const integer = (value: number): Buffer => {
    if (value < 127) return Buffer.from([value])
    const bytes = [127]
    let rest = value - 127
    for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
    return Buffer.from([...bytes, rest])
  }
  return Buffer.concat(
    fields.map((field, at) => (at % 2 === 0 ? Buffer.concat([Buffer.of(0), text(field)]) : text(field))),
  )
}

export const headers = (stream: number, fields: readonly string[], end = false): Buffer =>
  frame(FrameType.headers, endHeaders | (end ? endStream : 0), stream, block(fields))

export const data = (stream: number, text: string, end = false): Buffer =>
  frame(FrameType.data, end ? endStream : 0, stream, Buffer.from(text))

export const rstStream = (stream: number, code: number): Buffer => frame(FrameType.rstStream, 0, stream, numbers(code))

export const goaway = (lastStream: number, code: number): Buffer =>
  frame(FrameType.goaway, 0, 0, numbers(lastStream, code))

export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame(FrameType.windowUpdate, 0, stream, numbers(increment))

/** Pairs of identifier and value. RFC 9113 section 6.5.2. */
export const settings = (...pairs: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(
    FrameType.settings,
    0,
    0,
    Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.of(0, id), numbers(value)]))),
  )

export const SettingId = { maxConcurrentStreams: 3, initialWindowSize: 4 } as const

/** One connection of a client to a server of bare frames. */
export class PeerConnection {
  readonly socket: Socket
  readonly received: Frame[] = []
  readonly #heard: (() => void)[] = []
  #bytes = Buffer.alloc(0)
  #left = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length

  /** `answers`: whether SETTINGS and PING are acknowledged. */
  constructor(socket: Socket, answers: boolean, heard: (frame: Frame) => void) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      for (let next = this.#take(); next !== undefined; next = this.#take()) {
        this.received.push(next)
        const asks = next.type === FrameType.settings || next.type === FrameType.ping
        if (answers && asks && next.flags === 0) {
          this.send(frame(next.type, acknowledged, 0, next.type === FrameType.ping ? next.payload : undefined))
        }
        heard(next)
      }
      for (const one of this.#heard.splice(0)) one()
    })
  }

  send(...frames: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames))
  }

  of(type: number): Frame[] {
    return this.received.filter((one) => one.type === type)
  }

  /** Waits for the `count`th frame of a type. */
  async take(type: number, count = 1): Promise<Frame> {
    for (;;) {
      const found = this.of(type)[count - 1]
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#heard.push(resolve))
    }
  }

  #take(): Frame | undefined {
    if (this.#left > 0) {
      const preface = Math.min(this.#left, this.#bytes.length)
      this.#left -= preface
      this.#bytes = this.#bytes.subarray(preface)
    }
    const bytes = this.#bytes
    if (bytes.length < 9) return undefined
    const size = 9 + bytes.readUIntBE(0, 3)
    if (bytes.length < size) return undefined
    this.#bytes = bytes.subarray(size)
    return {
      type: bytes.readUInt8(3),
      flags: bytes.readUInt8(4),
      stream: bytes.readUInt32BE(5),
      payload: bytes.subarray(9, size),
    }
  }
}

export interface Http2Peer {
  readonly port: number
  readonly connections: readonly PeerConnection[]
  close(): void
}

export interface PeerBehaviour {
  readonly settings?: Buffer
  readonly answers?: boolean
  readonly heard?: (frame: Frame, connection: PeerConnection) => void
}

/** A server that speaks HTTP/2 in bare frames, and says what no good server would. */
export async function startHttp2Peer({
  settings: first = settings(),
  answers = true,
  heard,
}: PeerBehaviour): Promise<Http2Peer> {
  const connections: PeerConnection[] = []
  const server = createServer((socket) => {
    const connection = new PeerConnection(socket, answers, (next) => heard?.(next, connection))
    connections.push(connection)
    if (answers) connection.send(first)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    close: () => {
      server.close()
      for (const { socket } of connections) socket.destroy()
    },
  }
}
