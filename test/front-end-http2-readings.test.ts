import { constants, type OutgoingHttpHeaders } from 'node:http2'
import { expect, test } from 'vitest'
import { answerOf, client, type Fields, get, good, path, post, startHttp2, wire } from './front-end-http2-rig.ts'
import { Flag, FrameType, statusIn } from './http2-wire.ts'

// Requests that have two readings. RFC 9113 section 8

const authority = (value: string) => good.map(([name, old]) => [name, name === ':authority' ? value : old] as const)

test.for<[string, Fields]>([
  ['a name in capitals', [...good, ['X-A', 'b']]],
  ['no method', good.slice(1)],
  ['no path', good.slice(0, 3)],
  ['no scheme', good.filter(([name]) => name !== ':scheme')],
  ['no authority', good.filter(([name]) => name !== ':authority')],
  ['two Hosts', [...good, ['host', 'a'], ['host', 'a']]],
  ['two methods', [[':method', 'GET'], ...good]],
  ['two paths', [...good, [':path', '/']]],
  ['a pseudo field behind another', [...good.slice(0, 3), ['x', 'y'], [':path', '/']]],
  ['an unknown pseudo field', [...good, [':x', 'y']]],
  ['a status', [...good, [':status', '200']]],
  ['an empty path', path('')],
  ['a path with a space', path('/a b')],
  ['a path with a line feed', path('/a\nb')],
  ['* for GET', path('*')],
  ['an authority with a user', authority('user@a')],
  ['Connection', [...good, ['connection', 'close']]],
  ['Transfer-Encoding', [...good, ['transfer-encoding', 'chunked']]],
  ['Upgrade', [...good, ['upgrade', 'h2c']]],
  ['Keep-Alive', [...good, ['keep-alive', '1']]],
  ['Proxy-Connection', [...good, ['proxy-connection', '1']]],
  ['TE but for trailers', [...good, ['te', 'gzip']]],
  ['a length without a body', [...good, ['content-length', '5']]],
  ['two lengths', [...good, ['content-length', '0'], ['content-length', '0']]],
  ['a length that is none', [...good, ['content-length', '+0']]],
  ['a protocol without CONNECT', [...good, [':protocol', 'websocket']]],
  ['more fields than there may be', [...good, ...Array.from({ length: 600 }, (_, at) => [`x${at}`, 'y'] as const)]],
])('a request with %s is reset', async ([, fields]) => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, fields)
  const reset = await session.frame(FrameType.resetStream, 1)
  const codes: number[] = [constants.NGHTTP2_PROTOCOL_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM]
  expect(codes).toContain(reset.payload.readUInt32BE())
  expect(rig.asked).toEqual([])
})

test.for<[string, Fields]>([
  ['an authority and another Host', [...good, ['host', 'b']]],
  ['an authority that is none', authority('a,b')],
  ['a Host that is none', [...good.filter(([name]) => name !== ':authority'), ['host', 'a,b']]],
  ['another scheme', good.map(([name, old]) => [name, name === ':scheme' ? 'ftp' : old] as const)],
  ['a fragment', path('/a#b')],
  ['a path that is no UTF-8', path('/\xe9')],
])('a request with %s is a 400', async ([, fields]) => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, fields)
  expect(statusIn(await session.frame(FrameType.headers, 1))).toBe(400)
  expect(rig.asked).toEqual([])
  expect(rig.frontEnd.counters).toMatchObject({ refused: 1 })
})

test.for<[string, number, OutgoingHttpHeaders]>([
  ['CONNECT', 501, { ':method': 'CONNECT', ':authority': 'internal:80' }],
  ['another Expect', 417, { ...post, expect: 'x' }],
  ['a target too long', 414, { ...get, ':path': `/${'x'.repeat(20_000)}` }],
])('a request with %s is a %i', async ([, status, headers]) => {
  const rig = await startHttp2({ limits: { lingerTimeout: 20 } })
  const session = await client(rig)
  expect(await answerOf(session.request(headers))).toMatchObject({ status })
  expect(rig.asked).toEqual([])
})

test.for<[string, Fields, string, string]>([
  ['Host for :authority', [...good.filter(([name]) => name !== ':authority'), ['host', 'B']], '/', 'B'],
  ['Host like :authority', [...good, ['host', 'A']], '/', 'a'],
  ['a path with dots', path('/a/../g/%2e%2e/\\x'), '//x', 'a'],
  ['a path in UTF-8', path('/caf\xc3\xa9'), '/caf%C3%A9', 'a'],
  ['OPTIONS *', [[':method', 'OPTIONS'], ...good.slice(1, 3), [':path', '*']], '*', 'a'],
])('a request with %s is understood', async ([, fields, target, authority]) => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, fields)
  expect((await rig.next()).request).toMatchObject({ target, authority, headers: [] })
})

test('a field with what no line may have is left out', async () => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, [...good, ['x', 'a\nb'], ['y', 'a\0b'], ['z z', 'a'], ['v', 'a\rb'], ['w', 'a']])
  expect((await rig.next()).request.headers).toEqual(['w', 'a'])
})

test('a body that is longer than it says closes the connection', async () => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, [[':method', 'POST'], ...good.slice(1), ['content-length', '2']], 0)
  session.send(FrameType.data, Flag.endStream, 1, Buffer.from('three'))
  const goAway = await session.frame(FrameType.goAway, 0)
  expect(goAway.payload.readUInt32BE(4)).not.toBe(0)
  const asked = await rig.next()
  await asked.until(({ aborted }) => aborted)
  expect(asked.trailers).toBeUndefined()
})

test('a body that is shorter than it says is reset, and never passes for whole', async () => {
  const rig = await startHttp2()
  const session = await wire(rig)
  session.request(1, [[':method', 'POST'], ...good.slice(1), ['content-length', '9']], 0)
  session.send(FrameType.data, Flag.endStream, 1, Buffer.from('three'))
  const asked = await rig.next()
  await asked.until(({ aborted }) => aborted)
  expect(asked.trailers).toBeUndefined()
})
