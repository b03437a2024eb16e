import { once } from 'node:events'
import { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { type Answer, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'

test.for<[string, (answer: Answer) => unknown]>([
  ['before the answer', () => undefined],
  ['within the body', (answer) => answer.when(({ pieces }) => pieces.length > 0)],
])('the origin hears of an abort %s within 50 ms, and the sink nothing', async ([name, moment]) => {
  const { endpoint, connections } = await odd.startOriginUntilEnd(
    name === 'within the body' ? odd.hangMidBody : odd.silent,
  )
  const answer = startClient().send(endpoint)
  await vi.waitFor(() => expect(connections[0]?.received).toContain('\r\n\r\n'))
  await moment(answer)
  const since = performance.now()
  answer.exchange?.abort()
  await connections[0]?.rest()
  expect(performance.now() - since).toBeLessThan(50)
  expect(answer.error).toBeUndefined()
})

test('an abort ends a connection that does not stand yet', async () => {
  const socket = new Socket()
  const answer = startClient({}, () => socket).send({ address: '127.0.0.1', port: 1 })
  answer.exchange?.abort()
  expect(socket.destroyed).toBe(true)
  await once(socket, 'close')
  expect(answer.state).toBe('waiting')
})

test('an abort from within the head leaves a connection that is done to others', async () => {
  const echo = await odd.startOriginUntilEnd(odd.echo)
  const rig = startClient()
  const answer = rig.send(echo.endpoint)
  answer.head = () => answer.exchange?.abort()
  answer.data = () => {
    throw new Error('data')
  }
  await vi.waitFor(() => expect(echo.connections[0]?.received).toContain('\r\n\r\n'))
  await new Promise(setImmediate)
  await rig.send(echo.endpoint).over()
  expect(echo.connections).toHaveLength(1)
})

test('nothing follows an abort from within an interim response', async () => {
  const { endpoint } = await odd.startOriginUntilEnd(odd.interim)
  const answer = startClient().send(endpoint)
  const aborted = new Promise<void>((resolve) => {
    answer.informational = () => {
      answer.exchange?.abort()
      resolve()
    }
  })
  await aborted
  await new Promise(setImmediate)
  expect(answer.state).toBe('waiting')
})
