import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HEADER_LENGTH, MessageReader, message } from '../bgp-agent/bgp/message.ts'

const corpus = join(import.meta.dirname, 'corpus', 'bgp')

/** What daemons have sent in a session, by the name of the daemon, whole messages each. */
export function recordedSessions(): ReadonlyMap<string, readonly Uint8Array[]> {
  const files = readdirSync(join(corpus, 'sessions'))
  return new Map(
    files.map((file) => {
      const bytes = new Uint8Array(readFileSync(join(corpus, 'sessions', file)))
      const messages = [...new MessageReader().read(bytes)].map(({ type, body }) => message(type, body))
      return [file.replace('.bin', ''), messages]
    }),
  )
}

/** Streams that once did harm, by the name of the file. */
export function keptCrashes(): ReadonlyMap<string, Uint8Array> {
  const folder = join(corpus, 'crashes')
  const files = readdirSync(folder).filter((file) => file.endsWith('.bin'))
  return new Map(files.map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]))
}

/** Whole numbers below a bound, the same for the same seed. Mulberry32. */
export function numbers(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A message of `messages` with some of it changed; mostly with a header that still fits, so that what is inside is looked at. */
export function mutated(messages: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  let bytes = Uint8Array.from(messages[random(messages.length)] ?? [])
  for (let changes = 1 + random(4); changes > 0; changes--) bytes = changed(bytes, messages, random)
  const isHeaderKept = random(8) > 0
  if (isHeaderKept && bytes.length >= HEADER_LENGTH) {
    bytes.fill(0xff, 0, 16)
    bytes[16] = bytes.length >> 8
    bytes[17] = bytes.length & 0xff
  }
  return bytes
}

const interesting = [0, 1, 2, 3, 4, 8, 16, 31, 32, 33, 127, 128, 129, 254, 255]

function changed(
  bytes: Uint8Array<ArrayBuffer>,
  messages: readonly Uint8Array[],
  random: (below: number) => number,
): Uint8Array<ArrayBuffer> {
  const at = Math.min(HEADER_LENGTH + random(Math.max(1, bytes.length - HEADER_LENGTH)), bytes.length)
  switch (random(7)) {
    case 0:
      return replaced(bytes, at, 1, [(bytes[at] ?? 0) ^ (1 << random(8))])
    case 1:
      return replaced(bytes, at, 1, [interesting[random(interesting.length)] ?? 0])
    case 2:
      return replaced(bytes, at, 2, [random(256), random(256)])
    case 3:
      return bytes.slice(0, at)
    case 4:
      return replaced(bytes, at, random(9), [])
    case 5:
      return replaced(
        bytes,
        at,
        0,
        Array.from({ length: 1 + random(8) }, () => random(256)),
      )
    default: {
      const other = messages[random(messages.length)] ?? bytes
      const from = random(other.length)
      return replaced(bytes, at, random(16), other.subarray(from, from + 1 + random(64)))
    }
  }
}

function replaced(bytes: Uint8Array, at: number, count: number, by: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(at + count, bytes.length))
  const result = new Uint8Array(at + by.length + rest.length)
  result.set(bytes.subarray(0, at))
  result.set(by, at)
  result.set(rest, at + by.length)
  return result
}
