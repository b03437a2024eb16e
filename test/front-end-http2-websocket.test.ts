import { once } from 'node:events'
import { constants, type OutgoingHttpHeaders } from 'node:http2'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { answerOf, client, startHttp2, webSocketAccept, webSocketKey } from './front-end-http2-rig.ts'

// WebSocket. RFC 8441

const webSocket: OutgoingHttpHeaders = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':path': '/chat',
  ':authority': 'a',
  'sec-websocket-version': '13',
}

test('an extended CONNECT joins client and origin', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  expect(session.remoteSettings.enableConnectProtocol).toBe(true)
  const stream = session.request(webSocket)
  const asked = await rig.next()
  expect(asked.request).toMatchObject({ method: 'GET', path: '/chat', upgrade: 'websocket', hasBody: false })
  expect(asked.request.headers).toEqual(['sec-websocket-version', '13', 'sec-websocket-key', webSocketKey])
  expect(asked.trailers).toEqual([])
  const origin = new PassThrough()
  const answered = once(stream, 'response')
  asked.sink.upgraded(
    'Switching Protocols',
    ['Sec-WebSocket-Accept', webSocketAccept, 'Sec-WebSocket-Protocol', 'chat'],
    origin,
    Buffer.from('early '),
  )
  const [headers] = await answered
  expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat' })
  expect(headers['sec-websocket-accept']).toBeUndefined()
  const answer = answerOf(stream)
  stream.write('late')
  await sleep(20)
  stream.end()
  expect(await answer).toMatchObject({ body: 'early late', reset: undefined })
  expect(rig.frontEnd.counters).toMatchObject({ active: 0, abandoned: 0 })
})

test('an extended CONNECT that the origin refuses is answered', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(webSocket)
  ;(await rig.next()).answer(403, [], 'no')
  expect(await answerOf(stream)).toMatchObject({ status: 403, body: 'no' })
})

test('an origin that has not read the key is no WebSocket server', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const stream = session.request(webSocket)
  const origin = new PassThrough()
  ;(await rig.next()).sink.upgraded('', ['Sec-WebSocket-Accept', 'x'], origin, Buffer.alloc(0))
  expect(await answerOf(stream)).toMatchObject({ status: 502 })
  expect(origin.destroyed).toBe(true)
})

test('when either end of a WebSocket is lost, the other is told', async () => {
  const rig = await startHttp2()
  const session = await client(rig)
  const origins: PassThrough[] = []
  const open = async () => {
    const stream = session.request(webSocket)
    const origin = new PassThrough()
    origins.push(origin)
    ;(await rig.next()).sink.upgraded('', ['Sec-WebSocket-Accept', webSocketAccept], origin, Buffer.alloc(0))
    await once(stream, 'response')
    return { stream, origin }
  }
  const [first, second] = [await open(), await open()]
  first.origin.destroy(new Error('reset'))
  expect(await answerOf(first.stream)).toMatchObject({ reset: constants.NGHTTP2_CANCEL })
  second.stream.close(constants.NGHTTP2_CANCEL)
  await once(second.origin, 'close')
})

test('another protocol than WebSocket is a 501', async () => {
  const rig = await startHttp2({ limits: { lingerTimeout: 20 } })
  const session = await client(rig)
  expect(await answerOf(session.request({ ...webSocket, ':protocol': 'connect-udp' }))).toMatchObject({ status: 501 })
})
