import { randomBytes } from 'node:crypto'
import { createServer as createTlsServer } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { issue } from '../../test/certificates.ts'
import { listenOnFreePort } from '../../test/free-port.ts'
import { http1Rig, openAt, sized, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'

test('a request goes out as it was given, and its response comes back', async () => {
  const { endpoint } = await odd.startOriginUntilEnd(odd.echo)
  const answer = await startClient()
    .send(endpoint, { target: '/a?b', authority: 'B.example:1', headers: ['X', '1', 'x', '2'] })
    .over()
  expect(answer).toMatchObject({ status: 200, reason: 'OK', headers: ['Content-Length', '52'] })
  expect(answer.body).toBe('GET /a?b HTTP/1.1\r\nHost: B.example:1\r\nX: 1\r\nx: 2\r\n\r\n')
})

test('closing leaves what is under way, and keeps nothing idle', async () => {
  const gate = Promise.withResolvers<void>()
  const slow = await odd.startOriginUntilEnd(odd.slowBody(['a', 'b'], () => gate.promise))
  const echo = await odd.startOriginUntilEnd(odd.echo)
  const rig = startClient()
  await rig.send(echo.endpoint).over()
  const answer = rig.send(slow.endpoint)
  await answer.when(({ state }) => state === 'begun')
  rig.client.close()
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
  gate.resolve()
  expect(await answer.outcome()).toBe('whole')
  await vi.waitFor(() => expect(openAt(slow)).toBe(0))
})

test('a client without connections does nothing', async () => {
  const echo = await odd.startOriginUntilEnd(odd.echo)
  let looks = 0
  const rig = http1Rig({ reuseTimeout: 40 }, undefined, () => {
    looks++
    return performance.now()
  })
  await rig.send(echo.endpoint).over()
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
  await new Promise((resolve) => setTimeout(resolve, 20))
  const before = looks
  expect(before).toBeGreaterThan(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(looks).toBe(before)
  await rig.send(echo.endpoint).over()
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
})

test('TLS origins are spoken to in the same way', async () => {
  const authority = issue({ subject: 'authority', isAuthority: true })
  const { certificate, privateKey } = issue({ subject: 'origin', issuer: authority, names: ['DNS:origin.example'] })
  const bodies = randomBytes(200_000).toString('hex')
  const connections: RawConnection[] = []
  const server = createTlsServer({ cert: certificate, key: privateKey }, (socket) => {
    const connection = new RawConnection(socket)
    connections.push(connection)
    odd
      .answer(sized(bodies))(connection)
      .catch(() => socket.destroy())
  })
  onTestFinished(() => void server.close())
  const endpoint = { address: '127.0.0.1', port: await listenOnFreePort(server) }
  const tls = { hostname: 'origin.example', authorities: authority.certificate, subjectAltNames: [] }
  const rig = startClient()
  for (let count = 0; count < 3; count++) {
    expect((await rig.send(endpoint, {}, undefined, tls).over()).body === bodies).toBe(true)
  }
  expect(connections).toHaveLength(1)
  const wrong = rig.send(endpoint, {}, undefined, { ...tls, hostname: 'other.example' })
  expect(await wrong.outcome()).toBe('tls-failed, unheard')
})
