import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** RFC 9113 section 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const Flag = { endStream: 1, ack: 1, endHeaders: 4 } as const

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Literal fields without indexing and without Huffman coding, which can say anything. RFC 7541 section 6.2.2. */
export const fieldBlock = (fields: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]))

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes])
  const length = [127]
  let left = bytes.length - 127
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([...length, left]), bytes])
}

export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** A client of HTTP/2 that sends whatever frames it is told to. */
export class Http2Wire {
  readonly socket: Socket
  readonly frames: Frame[] = []
  closed = false
  #rest = Buffer.alloc(0)
  readonly #waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.#rest = Buffer.concat([this.#rest, bytes])
      this.#read()
      this.#look()
    })
    socket.on('error', () => {
      // 'close' follows.
    })
    socket.on('close', () => {
      this.closed = true
      this.#look()
    })
  }

  static async open(port: number, host = '127.0.0.1'): Promise<Http2Wire> {
    const socket = connect(port, host)
    await once(socket, 'connect')
    const wire = new Http2Wire(socket)
    socket.write(Buffer.concat([Buffer.from(preface), frame(FrameType.settings, 0, 0)]))
    return wire
  }

  send(type: number, flags: number, stream: number, payload?: Buffer): this {
    this.socket.write(frame(type, flags, stream, payload))
    return this
  }

  /** One HEADERS frame. */
  request(stream: number, fields: readonly (readonly [string, string])[], flags: number = Flag.endStream): this {
    return this.send(FrameType.headers, flags | Flag.endHeaders, stream, fieldBlock(fields))
  }

  /** The first frame of a kind, on one stream. */
  async frame(type: number, stream: number): Promise<Frame> {
    const found = () => this.frames.find((one) => one.type === type && one.stream === stream)
    await this.until(() => found() !== undefined, `a frame of type ${type}`)
    return found() ?? { type, flags: 0, stream, payload: Buffer.alloc(0) }
  }

  until(holds: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (holds()) resolve()
        else if (this.closed) reject(new Error(`closed before ${what}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed) resolve()
      else this.socket.on('close', () => resolve())
    })
  }

  #read(): void {
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      this.frames.push({
        type: this.#rest.readUInt8(3),
        flags: this.#rest.readUInt8(4),
        stream: this.#rest.readUInt32BE(5),
        payload: this.#rest.subarray(9, 9 + length),
      })
      this.#rest = this.#rest.subarray(9 + length)
    }
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }
}

/** The status in a HEADERS frame that node:http2 has written: those of the static table. RFC 7541 appendix A. */
export const statusIn = ({ payload }: Frame): number | undefined =>
  ({ 136: 200, 137: 204, 138: 206, 139: 304, 140: 400, 141: 404, 142: 500 })[payload[0] ?? 0]
