import { describe, expect, test } from 'vitest'
import { clockSkew, tokenLifetime } from '../engine/origin-token.ts'
import type { Endpoint } from '../proto/gen/route_table.ts'
import { errorIn, get, sign, startConnector, statusIn, token, withoutDate } from './connector-rig.ts'
import * as odd from './origins.ts'

describe('a request is refused with the same 403, and the origin sees nothing,', () => {
  const cases: readonly (readonly [string, (endpoint: Endpoint) => string])[] = [
    ['without a token', () => ''],
    ['with an empty token', () => 'landfall-origin: \r\n'],
    ['with nonsense for a token', () => 'landfall-origin: open sesame\r\n'],
    ['with two tokens', (e) => `landfall-origin: ${token(e)}\r\nlandfall-origin: ${token(e)}\r\n`],
    ['signed with another secret', (e) => `landfall-origin: ${token(e, { secret: Buffer.from('other') })}\r\n`],
    ['signed under an unknown key id', (e) => `landfall-origin: ${token(e, { keyId: 'k2' })}\r\n`],
    ['with an expired token', (e) => `landfall-origin: ${token(e, { expires: 1_700_000_000 })}\r\n`],
    ['with a token for too long a time', (e) => `landfall-origin: ${token(e, { expires: 999_999_999_999 })}\r\n`],
    [
      'with a token whose protocol was changed',
      (e) => `landfall-origin: ${token(e).replace('/http1/', '/http2/')}\r\n`,
    ],
    ['with a token for a protocol that does not exist', (e) => tokenLine(e, 'gopher')],
    [
      'with a token whose TLS was added',
      (e) => `landfall-origin: ${token(e).replace('/http1/', `/http1.${'A'.repeat(22)}/`)}\r\n`,
    ],
    ['for TLS that is not in the table', (e) => `landfall-origin: ${token(e, { tls: 'A'.repeat(22) })}\r\n`],
    ['with a token whose port was changed', (e) => `landfall-origin: ${token(e).replace(/:\d+\//, ':1/')}\r\n`],
    ['with a token whose mac was cut', (e) => `landfall-origin: ${token(e).slice(0, -1)}\r\n`],
    [
      'with the mac in another spelling',
      (e) => `landfall-origin: ${token(e).slice(0, -1)}${lastButEqual(token(e))}\r\n`,
    ],
    ['for an endpoint that is not in the table', (e) => `landfall-origin: ${token({ ...e, port: 1 })}\r\n`],
    [
      "for the address of a cloud's metadata",
      () => `landfall-origin: ${token({ address: '169.254.169.254', port: 80 })}\r\n`,
    ],
  ]

  test.for(cases)('%s', async ([, tokenLine]) => {
    const { origin, client, endpoint } = await startConnector(odd.echo)
    client.write(`GET /healthz HTTP/1.1\r\nHost: a\r\nlandfall-host: a\r\n${tokenLine(endpoint)}\r\n`)
    const { head } = await client.message()
    expect(withoutDate(head)).toBe('HTTP/1.1 403 Forbidden\r\nlandfall-error: refused\r\nContent-Length: 0\r\n\r\n')
    expect(origin.connections).toEqual([])
  })

  test('also when it is an upgrade, and the connection is closed', async () => {
    const { origin, client } = await startConnector(odd.upgradeEcho())
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes')
    expect(errorIn((await client.message()).head)).toBe('refused')
    expect(await client.rest()).toBe('')
    expect(origin.connections).toEqual([])
  })

  test('also when a large body comes with it, which is read so that the answer is not lost', async () => {
    const { client } = await startConnector(odd.echo)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`)
    expect(errorIn((await client.message()).head)).toBe('refused')
    client.write('x'.repeat(1_000_000)).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(errorIn((await client.message()).head)).toBe('refused')
  })

  test('and a body that does not end is read for a while only', async () => {
    const { client } = await startConnector(odd.echo, { limits: { lingerTimeout: 50 } })
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`)
    expect(errorIn((await client.message()).head)).toBe('refused')
    expect(await client.rest()).toBe('')
  })
})

/** A line with a token that is signed for a protocol of which tokens know nothing. */
function tokenLine(endpoint: Endpoint, protocol: string): string {
  const payload = token(endpoint).replace('/http1/', `/${protocol}/`).split('/').slice(0, -1).join('/')
  return `landfall-origin: ${sign(payload)}\r\n`
}

/** Another last character that decodes to the same bytes: 43 characters of base64url carry two bits too many. */
function lastButEqual(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
}

describe('a token', () => {
  test('is believed within the skew of the clocks and the longest lifetime, and no longer', async () => {
    let seconds = 0
    const { rig, endpoint } = await startConnector(odd.echo, { now: () => seconds * 1000 })
    const expires = 1_800_000_000
    const line = { expires }
    const at = async (now: number) => {
      seconds = now
      const client = await rig.client()
      client.write(`GET / HTTP/1.1\r\nHost: a\r\nlandfall-host: a\r\nlandfall-origin: ${token(endpoint, line)}\r\n\r\n`)
      return statusIn((await client.message()).head)
    }
    expect(await at(expires - tokenLifetime - clockSkew - 1)).toBe(403)
    expect(await at(expires - tokenLifetime - clockSkew)).toBe(200)
    expect(await at(expires + clockSkew - 1)).toBe(200)
    expect(await at(expires + clockSkew)).toBe(403)
  })

  test('ends with its endpoint or its secret, and comes back with them, at the next request', async () => {
    const { rig, client, endpoint } = await startConnector(odd.echo)
    const line = get(endpoint)
    const status = async () => statusIn((await client.write(line).message()).head)
    expect(await status()).toBe(200)
    const [known = ''] = rig.endpoints
    rig.endpoints.delete(known)
    expect(await status()).toBe(403)
    rig.endpoints.add(known)
    expect(await status()).toBe(200)
    const secret = rig.keys.get('k1') ?? Buffer.alloc(0)
    rig.keys.set('k1', Buffer.from('the next secret'))
    expect(await status()).toBe(403)
    rig.keys.set('k1', Buffer.from(secret))
    expect(await status()).toBe(200)
    rig.keys.delete('k1')
    expect(await status()).toBe(403)
  })
})
