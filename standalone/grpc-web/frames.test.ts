import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RawHeaders } from '../raw-headers.ts'
import { FrameReader, trailersFrame } from './frames.ts'

function message(payload: Buffer, flag = 0): Buffer {
  const head = Buffer.from([flag, 0, 0, 0, 0])
  head.writeUInt32BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

interface Read {
  readonly messages: string
  readonly trailers: RawHeaders | undefined
  readonly fault: string | undefined
  readonly isComplete: boolean
}

/** Reads `bytes` in pieces of these lengths, and of one byte once there are no more. */
function read(bytes: Buffer, lengths: readonly number[]): Read {
  const reader = new FrameReader()
  const messages: Buffer[] = []
  let trailers: RawHeaders | undefined
  let fault: string | undefined
  for (let at = 0, piece = 0; at < bytes.length && fault === undefined; piece++) {
    const length = lengths[piece] ?? 1
    const result = reader.read(bytes.subarray(at, at + length))
    at += length
    if (typeof result === 'string') fault = result
    else {
      if (result.messages !== undefined) messages.push(result.messages)
      expect(result.messages?.length).not.toBe(0)
      if (result.trailers !== undefined) {
        expect(trailers).toBeUndefined()
        trailers = result.trailers
      }
    }
  }
  return { messages: Buffer.concat(messages).toString('latin1'), trailers, fault, isComplete: reader.isComplete }
}

const payloads = fc.array(
  fc
    .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 0x7f }))
    .map(([bytes, flag]) => message(Buffer.from(bytes), flag)),
  { maxLength: 6 },
)
const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 })
const field = fc.tuple(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
  fc.stringMatching(/^(?:[!-~](?:[ -~\x80-\xff]{0,30}[!-~])?)?$/),
)
const fields = fc.array(field, { maxLength: 8 }).map((pairs) => pairs.flat())

describe('a body', () => {
  test('is the same in whatever pieces it comes', () => {
    fc.assert(
      fc.property(payloads, fc.option(fields, { nil: undefined }), cuts, (all, lines, lengths) => {
        const messages = Buffer.concat(all)
        const bytes = lines === undefined ? messages : Buffer.concat([messages, trailersFrame(lines)])
        expect(read(bytes, lengths)).toEqual({
          messages: messages.toString('latin1'),
          trailers: lines,
          fault: undefined,
          isComplete: true,
        })
      }),
    )
  })

  test('is not complete wherever it is cut off within a frame', () => {
    fc.assert(
      fc.property(payloads, fields, cuts, fc.nat(), (all, lines, lengths, where) => {
        const bytes = Buffer.concat([...all, trailersFrame(lines)])
        const boundaries = new Set(all.map((_, index) => Buffer.concat(all.slice(0, index + 1)).length)).add(0)
        const cut = where % bytes.length
        const { isComplete, fault, trailers } = read(bytes.subarray(0, cut), lengths)
        expect([isComplete, fault, trailers]).toEqual([boundaries.has(cut), undefined, undefined])
      }),
    )
  })

  test('of any bytes comes to the same in whatever pieces it comes', () => {
    const noise = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc.constantFrom(
          message(Buffer.from('hi')),
          Buffer.from([0x80, 0, 0, 0, 3]),
          trailersFrame(['grpc-status', '0']),
          Buffer.from([0x81]),
          Buffer.from([0, 0xff, 0xff, 0xff, 0xff]),
        ),
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(noise, cuts, (parts, lengths) => {
        const bytes = Buffer.concat(parts)
        const [whole, pieces] = [read(bytes, [bytes.length]), read(bytes, lengths)]
        expect(pieces.fault).toBe(whole.fault)
        if (whole.fault === undefined) expect(pieces).toEqual(whole)
        else expect(bytes.toString('latin1').startsWith(pieces.messages)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test('of one message larger than any memory passes on without being kept', () => {
    const reader = new FrameReader()
    expect(reader.read(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toMatchObject({ trailers: undefined })
    const piece = Buffer.alloc(1 << 20)
    let passed = 0
    for (let left = 0xffffffff; left > 0; left -= piece.length) {
      const result = reader.read(piece.subarray(0, Math.min(left, piece.length)))
      if (typeof result !== 'string') passed += result.messages?.length ?? 0
    }
    expect(passed).toBe(0xffffffff)
    expect(reader.isComplete).toBe(true)
  })
})

test.for([
  ['bytes behind the trailers', Buffer.concat([trailersFrame([]), Buffer.from('x')])],
  ['bytes behind the trailers', Buffer.concat([trailersFrame(['a', 'b']), trailersFrame(['a', 'b'])])],
  ['trailers that are compressed', Buffer.from([0x81, 0, 0, 0, 1, 0])],
  ['4294967295 bytes of trailers', Buffer.from([0x80, 0xff, 0xff, 0xff, 0xff])],
  ['malformed trailers', message(Buffer.from('no colon'), 0x80)],
  ['malformed trailers', message(Buffer.from(': no name'), 0x80)],
  ['malformed trailers', message(Buffer.from('a b: c'), 0x80)],
  ['malformed trailers', message(Buffer.from('a: b\nc: d'), 0x80)],
] as const)('%s are a fault', ([fault, bytes]) => {
  expect(read(bytes, [bytes.length]).fault).toBe(fault)
  expect(read(bytes, []).fault).toBe(fault)
})

test.for([
  ['grpc-status:0', ['grpc-status', '0']],
  ['Grpc-Status: 0\r\nX: \t a \r\n', ['grpc-status', '0', 'x', 'a']],
  ['a: 1\r\na: 2', ['a', '1', 'a', '2']],
  ['\r\n', []],
] as const)('trailers may be written as %j', ([text, lines]) => {
  expect(read(message(Buffer.from(text), 0x80), [3, 4, 1]).trailers).toEqual(lines)
})

test('trailers that cannot be written are left out', () => {
  const frame = trailersFrame(['Grpc-Status', '0', 'a b', 'c', 'd', 'e\r\nf: g'])
  expect(read(frame, [frame.length]).trailers).toEqual(['grpc-status', '0'])
})
