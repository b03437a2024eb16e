import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataPlaneRig } from './data-plane-rig.ts'
import { echo, type Origin, startOrigin } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { backend, gateway, gatewayClass, http, pathPrefix, route, service } from './serve-manifests.ts'

const port = 8080

let rig: DataPlaneRig
let origin: Origin

beforeEach(async () => {
  rig = await DataPlaneRig.create()
  origin = await startOrigin(echo)
})
afterEach(async () => {
  await rig.close()
  await origin.close()
})

test('a WebSocket that is asked for of a backend of HTTP/2 is a 502 that says so, and the endpoint does not hear of it', async () => {
  await rig.serve([
    gatewayClass,
    gateway(rig.address, [http(port)]),
    ...service('h2c', [origin.endpoint], 'kubernetes.io/h2c'),
    route('HTTPRoute', 'h2c', {
      rules: [
        {
          matches: [pathPrefix('/')],
          filters: [
            { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'X-Route', value: 'h2c' }] } },
          ],
          backendRefs: [backend('h2c')],
        },
      ],
    }),
  ])
  const client = await RawConnection.open(port, rig.address)
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  const { head, body } = await client.message()
  expect(head).toMatch(/^HTTP\/1.1 502 /)
  expect(head).toContain('landfall-reason: no-websocket\r\n')
  expect(head).toContain('X-Route: h2c\r\n')
  expect(body).toBe('502 no-websocket\n')
  expect(origin.connections).toEqual([])
  expect(rig.accesses).toMatchObject([
    { status: 502, why: 'no-websocket', matched: { route: 'HTTPRoute test/h2c' }, tries: 0 },
  ])
  client.socket.destroy()
})
