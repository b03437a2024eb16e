import { createHmac } from 'node:crypto'
import { beforeEach, expect, test, vi } from 'vitest'
import { formatToken, type OriginToken, tokenPayload } from '../../engine/origin-token.ts'
import { createTokenCheck } from './token-check.ts'

vi.mock('node:crypto', { spy: true })

const now = 1_800_000_000_000
const secret = Buffer.from('secret')
const tokenFor = (port: number): OriginToken => ({
  keyId: 'k1',
  protocol: 'http1',
  tls: '',
  endpoint: `10.0.0.1:${port}`,
  expires: now / 1000 + 10,
})

function header(port: number): string {
  const payload = tokenPayload(tokenFor(port))
  return formatToken(payload, createHmac('sha256', secret).update(payload).digest())
}

/** How many HMACs a piece of work computes. */
function macs(work: () => void): number {
  const before = vi.mocked(createHmac).mock.calls.length
  work()
  return vi.mocked(createHmac).mock.calls.length - before
}

const keys = new Map<string, Uint8Array>()
beforeEach(() => {
  keys.clear()
  keys.set('k1', secret)
})

test('a token that was proven costs no second HMAC', () => {
  const check = createTokenCheck(
    () => keys,
    () => now,
  )
  const text = header(1)
  expect(macs(() => expect(check(text)).toEqual(tokenFor(1)))).toBe(1)
  expect(macs(() => expect(check(text)).toEqual(tokenFor(1)))).toBe(0)
})

test('a token that is forged, or signed under no known secret, is not remembered', () => {
  const check = createTokenCheck(
    () => keys,
    () => now,
  )
  const forged = header(1).replace('10.0.0.1', '10.0.0.2')
  for (let i = 0; i < 2; i++) expect(macs(() => expect(check(forged)).toBeUndefined())).toBe(1)
  const unknown = header(1).replace('k1', 'k2')
  for (let i = 0; i < 2; i++) expect(macs(() => expect(check(unknown)).toBeUndefined())).toBe(0)
})

test('only the tokens used last are remembered', () => {
  const check = createTokenCheck(
    () => keys,
    () => now,
    2,
  )
  const [a, b, c] = [header(1), header(2), header(3)]
  for (const text of [a, b, a, c]) check(text)
  expect(macs(() => check(a))).toBe(0)
  expect(macs(() => check(c))).toBe(0)
  expect(macs(() => check(b))).toBe(1)
})

test('a secret that is replaced or removed ends what it had proven', () => {
  const check = createTokenCheck(
    () => keys,
    () => now,
  )
  const text = header(1)
  expect(check(text)).toBeDefined()
  keys.set('k1', Buffer.from('another'))
  expect(check(text)).toBeUndefined()
  keys.set('k1', Buffer.from('secret'))
  expect(check(text)).toBeDefined()
  keys.delete('k1')
  expect(check(text)).toBeUndefined()
})

test('two secrets serve side by side while one takes the place of the other', () => {
  const check = createTokenCheck(
    () => keys,
    () => now,
  )
  keys.set('k2', Buffer.from('another'))
  const payload = tokenPayload({ ...tokenFor(1), keyId: 'k2' })
  const next = formatToken(payload, createHmac('sha256', 'another').update(payload).digest())
  expect(check(header(1))).toBeDefined()
  expect(check(next)).toBeDefined()
})

test('a remembered token still expires', () => {
  let time = now
  const check = createTokenCheck(
    () => keys,
    () => time,
  )
  const text = header(1)
  expect(check(text)).toBeDefined()
  time += 60_000
  expect(check(text)).toBeUndefined()
})
