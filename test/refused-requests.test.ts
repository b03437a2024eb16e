import { once } from 'node:events'
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Access } from '../standalone/access.ts'
import { accessLog } from '../standalone/access-log.ts'
import { Metrics } from '../standalone/metrics.ts'
import { DataPlaneRig } from './data-plane-rig.ts'
import { echo, type Origin, startOrigin } from './origins.ts'
import { gateway, gatewayClass, http, route, service } from './serve-manifests.ts'

const port = 8080

let rig: DataPlaneRig
let origin: Origin

beforeEach(async () => {
  rig = await DataPlaneRig.create()
  origin = await startOrigin(echo)
  const faults = await rig.serve([
    gatewayClass,
    gateway(rig.address, [http(port)]),
    ...service('backend', [origin.endpoint]),
    route('HTTPRoute', 'backend'),
  ])
  expect(faults).toEqual([])
})
afterEach(async () => {
  await rig.close()
  await origin.close()
})

/** Sends these bytes, and reads until the end. */
async function send(...pieces: readonly string[]): Promise<string> {
  const socket = connect(port, rig.address)
  const closed = once(socket, 'close')
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes
  })
  for (const piece of pieces) {
    socket.write(piece, 'latin1')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await closed
  return text
}

const told = ({ request, gateway, matched, status, why }: Access): object => ({
  method: request.method,
  authority: request.authority,
  path: request.path,
  version: request.version,
  gateway,
  route: matched?.route,
  status,
  why,
})

const nobodys = { version: 'HTTP/1.1', gateway: '', route: undefined, why: 'bad-request' }

test.for([
  ['two Hosts', 'GET /a?b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, { method: 'GET', path: '/a' }],
  ['a user in Host', 'GET / HTTP/1.1\r\nHost: u:secret@a\r\n\r\n', 400, { method: 'GET', path: '/' }],
  ['a target that is none', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 400, {}],
  ['no HTTP', 'junk\r\n\r\n', 400, {}],
  [
    'a target that is too long',
    `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    414,
    { method: 'GET', authority: 'a' },
  ],
  [
    'an expectation',
    'GET / HTTP/1.1\r\nHost: a\r\nExpect: b\r\n\r\n',
    417,
    { method: 'GET', authority: 'a', path: '/' },
  ],
  ['a head that is too large', `GET / HTTP/1.1\r\nHost: a\r\nb: ${'c'.repeat(70_000)}\r\n\r\n`, 431, {}],
  ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 501, { method: 'CONNECT' }],
] as const)(
  '%s is in the access log and the metrics, with what was understood of it',
  async ([, bytes, status, parts]) => {
    expect(await send(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    const none = { method: undefined, authority: undefined, path: undefined }
    expect(rig.accesses.map(told)).toEqual([{ ...nobodys, ...none, ...parts, status }])
    const metrics = new Metrics()
    for (const access of rig.accesses) metrics.count(access)
    const text = await metrics.registry.metrics()
    expect(text).toContain(`landfall_requests_total{gateway="",route="",code="${status}"} 1\n`)
    expect(text).toContain('landfall_faults_total{gateway="",why="bad-request"} 1\n')
  },
)

test('a body that becomes unreadable is told of the route that had the request, with what the client was told', async () => {
  const head = 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  expect(await send(`${head}1\r\nx\r\n`, 'junk\r\n')).toMatch(/^HTTP\/1.1 400 /)
  expect(rig.accesses.map(told)).toEqual([
    {
      method: 'POST',
      authority: 'a',
      path: '/a',
      version: 'HTTP/1.1',
      gateway: 'test/web',
      route: 'HTTPRoute test/backend',
      status: 400,
      why: 'bad-request',
    },
  ])
})

test('requests before junk on a connection are told of once each, and the junk once', async () => {
  const good = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  expect(await send(`${good}${good}junk\r\n\r\njunk\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /)
  expect(rig.accesses.map(({ status }) => status)).toEqual([200, 200, 400])
})

test.for<[string, OutgoingHttpHeaders, number, object]>([
  ['another Host', { ':path': '/a?b', host: 'other' }, 400, { method: 'GET', authority: undefined, path: '/a' }],
  ['an expectation', { expect: 'b' }, 417, { method: 'GET', authority: 'a', path: '/' }],
  ['a tunnel', { ':method': 'CONNECT' }, 501, { method: 'CONNECT', authority: 'a', path: undefined }],
])('HTTP/2, %s: it is told, too', async ([, fields, status, parts]) => {
  const session = connectHttp2(`http://${rig.address}:${port}`)
  const stream = session.request({ ':authority': 'a', ...fields })
  const [headers] = await once(stream, 'response')
  expect(headers[':status']).toBe(status)
  session.destroy()
  expect(rig.accesses.map(told)).toEqual([{ ...nobodys, version: 'HTTP/2', status, ...parts }])
})

test('a line of the access log is no longer for junk than for a request that is served', async () => {
  const lines: string[] = []
  const observe = accessLog(pino({ base: null }, { write: (line) => void lines.push(line) }))
  const junk = '\\x01"'.repeat(10_000)
  await send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await send(`GET /${'a'.repeat(50_000)} HTTP/1.1\r\nHost: ${junk}\r\n\r\n`)
  await send(`GET ${junk} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await send(`${junk}\r\n\r\n`)
  for (const access of rig.accesses) observe(access)
  const [good = 0, ...bad] = lines.map((line) => line.length)
  expect(bad).toHaveLength(3)
  expect(Math.max(...bad)).toBeLessThan(good)
})
