import { once } from 'node:events'
import { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { openAt, sized, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'

const upgrade = { upgrade: 'websocket', headers: ['Sec-WebSocket-Key', 'eA=='] } as const

test('an upgrade hands the socket over, with what came behind the head', async () => {
  let connections = 0
  const serve = odd.upgradeEcho('greeting')
  const { endpoint } = await odd.startOriginUntilEnd((connection) =>
    (connections++ === 0 ? odd.echo : serve)(connection),
  )
  const rig = startClient({ requestsPerOrigin: 1 })
  // A connection that has served does not do for an upgrade.
  await rig.send(endpoint).over()
  const { tunnel, status, headers } = await rig.send(endpoint, upgrade).over()
  expect(status).toBe(101)
  expect(headers).toEqual(['Sec-WebSocket-Accept', expect.any(String)])
  expect(tunnel?.rest.toString()).toBe('greeting')
  expect(tunnel?.socket.listenerCount('data')).toBe(0)
  tunnel?.socket.write('ping')
  tunnel?.socket.resume()
  const [echoed] = await once(tunnel?.socket ?? new Socket(), 'data')
  expect(`${echoed}`).toBe('ping')
  // Tunnels are no requests under way.
  const second = await rig.send(endpoint, upgrade).over()
  expect(second.status).toBe(101)
  tunnel?.socket.destroy()
  second.tunnel?.socket.destroy()
})

test('a refused upgrade is a response like any other', async () => {
  const { endpoint, ...rest } = await odd.startOriginUntilEnd(odd.answer(sized('no').replace('200', '403')))
  const answer = await startClient().send(endpoint, upgrade).over()
  expect(answer).toMatchObject({ status: 403, body: 'no' })
  await vi.waitFor(() => expect(openAt({ endpoint, ...rest })).toBe(0))
})
