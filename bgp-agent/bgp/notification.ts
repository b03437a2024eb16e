// The NOTIFICATION message. RFC 4271 section 4.5.
import { Cease, ErrorCode, HeaderError, OpenError, StateError, UpdateError } from './error.ts'
import { MessageType, message } from './message.ts'
import { Octets } from './octets.ts'

export interface Notification {
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

export const encodeNotification = ({ code, subcode, data }: Notification): Uint8Array =>
  message(MessageType.notification, Uint8Array.of(code, subcode, ...data))

/** `body` has at least two octets. */
export function decodeNotification(body: Uint8Array): Notification {
  const octets = new Octets(body)
  return { code: octets.u8(), subcode: octets.u8(), data: octets.rest() }
}

/** The longest text for a peer's operator, in octets of UTF-8. RFC 9003 section 2. */
const MAX_TEXT = 255

/** A Cease with a text: shutdown or reset. */
export function ceaseWith(subcode: typeof Cease.shutdown | typeof Cease.reset, text: string): Notification {
  let octets = new TextEncoder().encode(text)
  if (octets.length > MAX_TEXT) {
    // Not in the middle of a character.
    let end = MAX_TEXT
    while (((octets[end] ?? 0) & 0xc0) === 0x80) end--
    octets = octets.slice(0, end)
  }
  return {
    code: ErrorCode.cease,
    subcode,
    data: octets.length === 0 ? octets : Uint8Array.of(octets.length, ...octets),
  }
}

/** A sentence for a log: what it says, with the operator's text where there is one. */
export function describe({ code, subcode, data }: Notification): string {
  const kind = kinds.get(code)
  const name = kind === undefined ? `error ${code}/${subcode}` : wordsOf(kind, subcode)
  const text = textOf({ code, subcode, data })
  return text === '' ? name : `${name}: "${text}"`
}

interface Kind {
  readonly name: string
  readonly subcodes: Readonly<Record<string, number>>
}

const kinds: ReadonlyMap<number, Kind> = new Map([
  [ErrorCode.messageHeader, { name: 'message header error', subcodes: HeaderError }],
  [ErrorCode.open, { name: 'OPEN error', subcodes: OpenError }],
  [ErrorCode.update, { name: 'UPDATE error', subcodes: UpdateError }],
  [ErrorCode.holdTimerExpired, { name: 'hold timer expired', subcodes: {} }],
  [ErrorCode.stateMachine, { name: 'state machine error', subcodes: StateError }],
  [ErrorCode.cease, { name: 'cease', subcodes: Cease }],
  [ErrorCode.routeRefresh, { name: 'ROUTE-REFRESH error', subcodes: {} }],
])

function wordsOf({ name, subcodes }: Kind, subcode: number): string {
  const word = Object.entries(subcodes).find(([, value]) => value === subcode)?.[0]
  if (word !== undefined) return `${name}, ${word.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`
  return subcode === 0 ? name : `${name}, subcode ${subcode}`
}

/** What its operator wrote. Control characters would let a peer write into a terminal. */
function textOf({ code, subcode, data }: Notification): string {
  const hasText = code === ErrorCode.cease && (subcode === Cease.shutdown || subcode === Cease.reset)
  const length = data[0] ?? 0
  if (!hasText || length === 0 || length > data.length - 1) return ''
  return new TextDecoder().decode(data.subarray(1, 1 + length)).replace(/\p{Cc}/gu, '?')
}
