import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byName, endToEnd, valuesOf, without, written } from './raw-headers.ts'

const none: ReadonlySet<string> = new Set()

test('headers of the connection, those that it names and internal ones do not pass', () => {
  const headers = [
    'Accept',
    '*/*',
    'CONNECTION',
    'close, X-One',
    'x-one',
    '1',
    'X-Two',
    '2',
    'connection',
    ' x-two ,,x-three',
    'X-Three',
    '3',
    'Keep-Alive',
    '1',
    'Proxy-Connection',
    '1',
    'TE',
    '1',
    'Trailer',
    '1',
    'Transfer-Encoding',
    '1',
    'Upgrade',
    '1',
    'HTTP2-Settings',
    '1',
    'Proxy-Authenticate',
    '1',
    'Proxy-Authorization',
    '1',
    'LANDFALL-origin',
    '1',
    'Host',
    'a',
    'accept',
    'b',
  ]
  expect(endToEnd(headers, new Set(['host']))).toEqual(['Accept', '*/*', 'accept', 'b'])
})

test('Content-Length passes though Connection names it', () => {
  expect(endToEnd(['Connection', 'content-length', 'Content-Length', '5'], none)).toEqual(['Content-Length', '5'])
})

test('everything else passes as it is: names, values, order, duplicates', () => {
  const name = fc.stringMatching(/^[Xx]-[A-Za-z0-9]{1,5}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string())), (lines) => {
      expect(endToEnd(lines.flat(), none)).toEqual(lines.flat())
    }),
  )
})

test('the values of a field are those of all its lines', () => {
  expect(valuesOf(['A', '1', 'b', '2', 'a', '3', 'ab', '4', 'x', 'a'], 'a')).toEqual(['1', '3'])
})

test('a field is left out with all its lines, whatever their case', () => {
  expect(without(['A', '1', 'b', '2', 'a', '3', 'ab', '4'], 'a')).toEqual(['b', '2', 'ab', '4'])
})

test('fields that come in several lines, in whatever case, are one by name', () => {
  expect(byName(['A', '1', 'b', '2', 'a', '3'])).toEqual({ a: ['1', '3'], b: ['2'] })
})

test('lines are written one behind the other, each with its end', () => {
  expect(written(['A', '1', 'b', ''])).toBe('A: 1\r\nb: \r\n')
})
