import { expect, test } from 'vitest'
import { Shard } from '../proto/gen/route_table.ts'
import { backend, host } from '../test/engine-tables.ts'
import { fieldsOf } from './wire.ts'

test('the fields of a message stand where the decoder finds them', () => {
  const hosts = [host({ hostname: 'a.com' }), host({ hostname: `${'b'.repeat(200)}.com` })]
  const bytes = Shard.encode({ hosts, backends: [backend()] }).finish()
  const fields = [...fieldsOf(bytes, 0, bytes.length)]
  expect(fields.map(({ number }) => number)).toEqual([1, 1, 2])
  const again = fields.map(({ number, start, end }) => [
    (number << 3) | 2,
    ...varint(end - start),
    ...bytes.subarray(start, end),
  ])
  expect(again.flat()).toEqual([...bytes])
})

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)])

test.for<[string, number[]]>([
  ['a field that is a number', [0x08, 0x01]],
  ['a field that is longer than the message', [0x0a, 0x05, 0x00]],
  ['a length that does not end', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ['a length beyond all bounds', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ['a tag alone', [0x0a]],
])('%s is refused', ([, bytes]) => {
  expect(() => [...fieldsOf(Uint8Array.from(bytes), 0, bytes.length)]).toThrow(RangeError)
})
