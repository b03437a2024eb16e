import { expect, test } from 'vitest'
import { readConnectorKey } from './connector-key.ts'

test('a key has a name and a secret of 16 characters or more', () => {
  expect(readConnectorKey(' k1:0123456789abcdef\n')).toEqual({ id: 'k1', secret: '0123456789abcdef' })
  for (const text of [
    '',
    'k1',
    'k1:',
    'k1:short',
    ':0123456789abcdef',
    'k 1:0123456789abcdef',
    'k1:0123456789 abcdef',
  ]) {
    expect([text, readConnectorKey(text)]).toEqual([text, undefined])
  }
})
