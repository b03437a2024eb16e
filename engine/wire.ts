/** Where a field of an encoded message stands in its bytes. */
export interface FieldRange {
  readonly number: number
  readonly start: number
  /** After its last byte. */
  readonly end: number
}

/** Field numbers of proto/route_table.proto. */
export const ShardField = { hosts: 1, backends: 2 } as const
export const HostField = { matches: 3, rules: 4 } as const

const LENGTH_DELIMITED = 2

/**
 * The fields of a message of which every field is a string or a message, as Shard and Host are, to find one of many without
 * decoding all. Throws on anything else. https://protobuf.dev/programming-guides/encoding/
 */
export function* fieldsOf(bytes: Uint8Array, start: number, end: number): Generator<FieldRange> {
  let at = start
  while (at < end) {
    const tag = readVarint(bytes, at)
    const length = readVarint(bytes, tag.end)
    at = length.end + length.value
    if ((tag.value & 7) !== LENGTH_DELIMITED || at > end) throw new RangeError(`no length-delimited field at ${start}`)
    yield { number: tag.value >>> 3, start: length.end, end: at }
  }
}

export const part = (bytes: Uint8Array, { start, end }: FieldRange): Uint8Array => bytes.subarray(start, end)

/** An unsigned number of at most 31 bits: no length or tag is larger. */
function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let at = start, shift = 0; shift < 31; at++, shift += 7) {
    const byte = bytes[at] ?? CONTINUED
    value |= (byte & 0x7f) << shift
    if (byte < CONTINUED && value >= 0) return { value, end: at + 1 }
  }
  throw new RangeError(`no number at ${start}`)
}

const CONTINUED = 0x80
