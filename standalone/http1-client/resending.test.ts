import { expect, test } from 'vitest'
import { type ClientRig, sized, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'
import type { RawConnection } from '../../test/raw-connection.ts'

/** Answers one request and ends in another way at the next. */
const onceThen = (then: (connection: RawConnection) => unknown) => async (connection: RawConnection) => {
  await connection.message()
  connection.write(sized('first'))
  await connection.message()
  await then(connection)
}

test.for<[string, (connection: RawConnection) => unknown]>([
  ['closed', ({ socket }) => socket.destroy()],
  ['reset', ({ socket }) => socket.resetAndDestroy()],
])('a request is sent once more when the connection it was to share was %s', async ([, end]) => {
  let connections = 0
  const flaky = await odd.startOriginUntilEnd((connection) =>
    connections++ === 0 ? onceThen(end)(connection) : odd.echo(connection),
  )
  const rig = startClient()
  await rig.send(flaky.endpoint).over()
  expect((await rig.send(flaky.endpoint, { method: 'PUT' }).over()).body).toContain('PUT / HTTP/1.1')
  expect(flaky.connections).toHaveLength(2)
})

test.for<[string, Parameters<ClientRig['send']>[1]]>([
  ['with a body', { method: 'PUT', hasBody: true }],
  ['that is not idempotent', { method: 'POST' }],
])('a request %s is not', async ([, changes]) => {
  const flaky = await odd.startOriginUntilEnd(onceThen(({ socket }) => socket.destroy()))
  const rig = startClient()
  await rig.send(flaky.endpoint).over()
  const answer = rig.send(flaky.endpoint, changes)
  answer.exchange?.end([])
  expect(await answer.outcome()).toBe('connection-lost, unheard')
  expect(flaky.connections).toHaveLength(1)
})

test('nor is one that got a byte of an answer', async () => {
  const flaky = await odd.startOriginUntilEnd(onceThen(({ socket }) => socket.end('H')))
  const rig = startClient()
  await rig.send(flaky.endpoint).over()
  expect(await rig.send(flaky.endpoint).outcome()).toBe('connection-lost')
  expect(flaky.connections).toHaveLength(1)
})

test('nor a third time', async () => {
  let connections = 0
  const flaky = await odd.startOriginUntilEnd((connection) =>
    connections++ === 0 ? onceThen(({ socket }) => socket.destroy())(connection) : odd.closeEarly(connection),
  )
  const rig = startClient()
  await rig.send(flaky.endpoint).over()
  expect(await rig.send(flaky.endpoint).outcome()).toBe('connection-lost, unheard')
  expect(flaky.connections).toHaveLength(2)
})

test('a connection that dies in use loses its request', async () => {
  const { endpoint, connections } = await odd.startOriginUntilEnd(odd.closeEarly)
  expect(await startClient().send(endpoint).outcome()).toBe('connection-lost, unheard')
  expect(connections).toHaveLength(1)
})
