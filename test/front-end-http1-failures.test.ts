import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask } from './front-end-http1-rig.ts'

test.for([
  ['overloaded', 503, 'overloaded'],
  ['connect-failed', 502, 'connect-failed'],
  ['tls-failed', 502, 'tls-failed'],
  ['connection-lost', 502, 'connection-lost'],
  ['unprocessed', 502, 'connection-lost'],
  ['invalid-response', 502, 'invalid-response'],
  ['timeout', 504, 'backend-timeout'],
  ['invalid-request', 400, 'bad-request'],
] as const)('an exchange that fails before its answer (%s) becomes a %i', async ([kind, status, why]) => {
  const { client, asked } = await ask()
  asked.fail(kind)
  const { head, body } = await client.message()
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*^landfall-reason: ${why}\r$`, 'ms'))
  expect(body).toBe(`${status} ${why}\n`)
})

test('a chunked answer that fails has no end', async () => {
  const { rig, client, asked } = await ask()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  await client.until('one\r\n')
  asked.fail('connection-lost')
  expect(await client.rest()).toBe('')
  expect(rig.frontEnd.counters).toMatchObject({ broken: 1, active: 0, abandoned: 0 })
})

test('an answer that fails in the turn in which it began has no end', async () => {
  const { client, asked } = await ask()
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  asked.fail('connection-lost')
  expect(await client.rest()).not.toContain('0\r\n\r\n')
})

test('an answer that fails, and whose end would be that of the connection, is reset', async () => {
  const { client, asked } = await ask('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  await client.until('one')
  asked.fail('connection-lost')
  await client.rest()
  expect(client.closed).toBe('reset')
})

test('an answer that fails over a unix socket, which knows no reset, is cut all the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-front-end-'))
  const { client, asked } = await ask('GET / HTTP/1.0\r\nHost: a\r\n\r\n', { path: join(folder, 'socket') })
  asked.sink.head(200, 'OK', [])
  asked.sink.data(Buffer.from('one'))
  await client.until('one')
  asked.fail('connection-lost')
  expect(await client.rest()).toBe('')
  await rm(folder, { recursive: true })
})

test('an answer that is shorter than it says is cut', async () => {
  const { rig, client, asked } = await ask()
  const { sink } = asked
  sink.head(200, 'OK', ['Content-Length', '4'])
  sink.data(Buffer.from('one'))
  await client.until('one')
  sink.end([])
  expect(await client.rest()).toBe('')
  expect(rig.frontEnd.counters.broken).toBe(1)
})

test('an answer that is longer than it says is cut, and not a byte of the rest passes for another answer', async () => {
  const { client, asked } = await ask()
  asked.sink.head(200, 'OK', ['Content-Length', '4'])
  asked.sink.data(Buffer.from('four'))
  await client.until('four')
  asked.sink.data(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))
  expect(await client.rest()).toBe('')
  expect(asked.aborted).toBe(true)
})
