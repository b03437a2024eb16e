// A BGP message. RFC 4271 section 4.1.
//
//   |  marker (16 octets of 0xff)  |  length (2), with the header  |  type (1)  |  body …
import { BgpError, ErrorCode, HeaderError } from './error.ts'
import { u16 } from './octets.ts'

/** RFC 4271 section 4.1; ROUTE-REFRESH from RFC 2918 section 3. */
export const MessageType = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

export const HEADER_LENGTH = 19
/** The longest message, in octets. RFC 4271 section 4.1. */
export const MAX_LENGTH = 4096
/** The same where both sides know extended messages; OPEN and KEEPALIVE stay as they are. RFC 8654 section 4. */
export const MAX_EXTENDED_LENGTH = 65535

export interface Message {
  readonly type: MessageType
  /** Without the header. */
  readonly body: Uint8Array
}

export function message(type: MessageType, body: Uint8Array | readonly number[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH + body.length).fill(0xff, 0, 16)
  bytes.set([...u16(bytes.length), type], 16)
  bytes.set(body, HEADER_LENGTH)
  return bytes
}

export const keepalive = (): Uint8Array => message(MessageType.keepalive, [])

/** The least body of each type; KEEPALIVE and ROUTE-REFRESH have no more. */
const leastBody: Readonly<Record<MessageType, number>> = { 1: 10, 2: 4, 3: 2, 4: 0, 5: 4 }

/** Cuts a stream of bytes into messages. Holds no more than one message. */
export class MessageReader {
  #left: Uint8Array = new Uint8Array()
  #maxLength: number = MAX_LENGTH

  /** From here on the peer may send extended messages. */
  extend(): void {
    this.#maxLength = MAX_EXTENDED_LENGTH
  }

  /** The messages that these bytes complete. Throws BgpError, after which the stream is lost. */
  *read(chunk: Uint8Array): Generator<Message> {
    let bytes = chunk
    if (this.#left.length > 0) {
      bytes = new Uint8Array(this.#left.length + chunk.length)
      bytes.set(this.#left)
      bytes.set(chunk, this.#left.length)
    }
    let at = 0
    try {
      while (bytes.length - at >= HEADER_LENGTH) {
        const { length, type } = readHeader(bytes.subarray(at, at + HEADER_LENGTH), this.#maxLength)
        if (bytes.length - at < length) break
        at += length
        yield { type, body: bytes.subarray(at - length + HEADER_LENGTH, at) }
      }
    } finally {
      this.#left = bytes.slice(at)
    }
  }
}

function readHeader(header: Uint8Array, maxLength: number): { readonly length: number; readonly type: MessageType } {
  if (header.subarray(0, 16).some((octet) => octet !== 0xff))
    throw new BgpError(ErrorCode.messageHeader, HeaderError.notSynchronized, 'the marker is not all ones')
  const length = ((header[16] ?? 0) << 8) | (header[17] ?? 0)
  const type = header[18] ?? 0
  if (!isMessageType(type))
    throw new BgpError(ErrorCode.messageHeader, HeaderError.badType, `message type ${type}`, Uint8Array.of(type))
  const body = length - HEADER_LENGTH
  const isShort = body < leastBody[type] || (type === MessageType.keepalive && body > 0)
  const longest = type === MessageType.open ? MAX_LENGTH : maxLength
  if (isShort || length > longest)
    throw new BgpError(ErrorCode.messageHeader, HeaderError.badLength, `message length ${length}`, header.slice(16, 18))
  return { length, type }
}

const isMessageType = (type: number): type is MessageType => type in leastBody
