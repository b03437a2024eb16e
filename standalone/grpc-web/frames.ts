import { isText, isToken } from '../http1-syntax.ts'
import type { RawHeaders } from '../raw-headers.ts'

// The body of a gRPC-Web response: messages as gRPC has them, and the trailers as one more behind them.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
//
//   flag (1) | length (4) | message         flag 00: as it is, 01: compressed
//   80       | length (4) | name: value CR LF name: value CR LF …

const headBytes = 5
const trailersFlag = 0x80

/** Bytes of trailers that are taken: as many as the head of an HTTP/2 message may have. */
const maxTrailers = 65_536

/** What a piece of a body holds. */
export interface Piece {
  /** Messages and parts of them; undefined: none. */
  readonly messages: Buffer | undefined
  /** Set once, when the trailers are whole. */
  readonly trailers: RawHeaders | undefined
}

/** Tells messages from trailers, in pieces that end anywhere. Messages are not kept, however large. */
export class FrameReader {
  /** Of a frame's head: its bytes so far. */
  readonly #head = Buffer.alloc(headBytes)
  #headLength = 0
  /** Bytes of a message that are still to come. */
  #left = 0
  /** The trailers so far. */
  #block: Buffer | undefined
  #blockLength = 0
  #isOver = false

  /** Whether the body may end here. */
  get isComplete(): boolean {
    return this.#headLength === 0 && this.#left === 0 && this.#block === undefined
  }

  /** A string says what is wrong with the body; there is nothing more to be read then. */
  read(bytes: Buffer): Piece | string {
    let at = 0
    while (at < bytes.length && this.#block === undefined) {
      if (this.#isOver) return 'bytes behind the trailers'
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at)
        this.#left -= taken
        at += taken
      } else {
        const taken = this.#readHead(bytes, at)
        if (typeof taken === 'string') return taken
        at = taken
      }
    }
    // Nothing that may be the head of trailers passes for a message.
    const isHeld = this.#block !== undefined || (this.#headLength > 0 && isOfTrailers(this.#head))
    const end = isHeld ? Math.max(0, at - (this.#block === undefined ? this.#headLength : headBytes)) : at
    const messages = end === 0 ? undefined : bytes.subarray(0, end)
    if (this.#block === undefined) return { messages, trailers: undefined }
    const trailers = this.#readBlock(this.#block, bytes.subarray(at))
    return typeof trailers === 'string' ? trailers : { messages, trailers }
  }

  /** Where the head ends, as far as it has come. */
  #readHead(bytes: Buffer, start: number): number | string {
    const taken = bytes.copy(this.#head, this.#headLength, start, start + headBytes - this.#headLength)
    this.#headLength += taken
    if (this.#headLength < headBytes) return start + taken
    this.#headLength = 0
    const length = this.#head.readUInt32BE(1)
    if (!isOfTrailers(this.#head)) this.#left = length
    else if (this.#head[0] !== trailersFlag) return 'trailers that are compressed'
    else if (length > maxTrailers) return `${length} bytes of trailers`
    else this.#block = Buffer.alloc(length)
    return start + taken
  }

  #readBlock(block: Buffer, bytes: Buffer): RawHeaders | string | undefined {
    const taken = bytes.copy(block, this.#blockLength)
    this.#blockLength += taken
    if (this.#blockLength < block.length) return undefined
    this.#block = undefined
    this.#isOver = true
    const lines = readLines(block.toString('latin1'))
    if (lines === undefined) return 'malformed trailers'
    return taken < bytes.length ? 'bytes behind the trailers' : lines
  }
}

const isOfTrailers = (head: Buffer): boolean => ((head[0] ?? 0) & trailersFlag) !== 0

function readLines(text: string): RawHeaders | undefined {
  const lines: string[] = []
  for (const line of text.split('\r\n')) {
    if (line === '') continue
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (colon < 1 || !isToken(name) || !isText(value)) return undefined
    lines.push(name, value)
  }
  return lines
}

/** The frame of trailers. Those that cannot be written are left out. */
export function trailersFrame(trailers: RawHeaders): Buffer {
  let text = ''
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const [name = '', value = ''] = [trailers[at]?.toLowerCase(), trailers[at + 1]]
    if (isToken(name) && isText(value)) text += `${name}: ${value}\r\n`
  }
  const frame = Buffer.alloc(headBytes + text.length)
  frame[0] = trailersFlag
  frame.writeUInt32BE(text.length, 1)
  frame.write(text, headBytes, 'latin1')
  return frame
}
