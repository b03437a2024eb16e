import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { ok, openAt, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'

test('who cannot take more holds the origin back', async () => {
  const { serve, state } = odd.bigBody(64)
  const { endpoint } = await odd.startOriginUntilEnd(serve)
  let takes = false
  const answer = startClient().send(endpoint, {}, () => takes)
  await answer.when(({ pieces }) => pieces.length === 1)
  await vi.waitFor(() => expect(state.written).toBeGreaterThan(0))
  const length = () => answer.pieces.reduce((sum, piece) => sum + piece.length, 0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(answer.pieces).toHaveLength(1)
  expect(state.written).toBeLessThan(32 << 20)
  takes = true
  answer.exchange?.resume()
  await answer.over()
  expect(length()).toBe(64 << 20)
})

test('bodies of many connections at once do not get mixed up', async () => {
  const bodies = Array.from({ length: 8 }, () => randomBytes(300_000))
  const { endpoint } = await odd.startOriginUntilEnd(async (connection) => {
    const body = bodies[Number(/GET \/(\d)/.exec(await connection.until('\r\n\r\n'))?.[1])] ?? Buffer.alloc(0)
    connection.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`)
    for (let at = 0; at < body.length; ) {
      const piece = body.subarray(at, at + 1 + (body[at] ?? 0) * (at % 3 === 0 ? 1 : 40))
      connection.socket.write(`${piece.length.toString(16)}\r\n`)
      connection.socket.write(piece)
      if (!connection.socket.write('\r\n')) await once(connection.socket, 'drain')
      at += piece.length
    }
    connection.write('0\r\n\r\n')
  })
  const rig = startClient()
  const answers = bodies.map((_, index) => rig.send(endpoint, { target: `/${index}` }))
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  for (const [index, answer] of answers.entries()) {
    expect(hash(Buffer.concat((await answer.over()).pieces))).toBe(hash(bodies[index] ?? Buffer.alloc(0)))
  }
})

test('1xx pass on, but for 100', async () => {
  const { endpoint } = await odd.startOriginUntilEnd(odd.interim)
  const answer = await startClient().send(endpoint).over()
  expect(answer.informationals).toEqual([[103, ['Link', '</a.css>']]])
  expect(answer.body).toBe('after all')
})

test('trailers come with the end', async () => {
  const { endpoint } = await odd.startOriginUntilEnd(
    odd.answer(`${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nT: 1\r\n\r\n`),
  )
  expect((await startClient().send(endpoint).over()).trailers).toEqual(['T', '1'])
})

test('a response to HEAD has no body, and the connection goes on', async () => {
  const head = await odd.startOriginUntilEnd(odd.answer(`${ok}Content-Length: 5\r\n\r\n`))
  const rig = startClient()
  for (let count = 0; count < 2; count++) {
    const answer = await rig.send(head.endpoint, { method: 'HEAD' }).over()
    expect(answer).toMatchObject({ headers: ['Content-Length', '5'], body: '' })
  }
  expect(head.connections).toHaveLength(1)
})

test('a body may last until the connection ends', async () => {
  const { endpoint } = await odd.startOriginUntilEnd(odd.halfClose)
  const answer = startClient().send(endpoint)
  expect(await answer.outcome()).toBe('whole')
  expect(answer.body).toBe('until the end')
})

test.for<[string, string, string]>([
  ['is shorter than its length', `${ok}Content-Length: 10\r\n\r\nhello`, 'hello'],
  ['breaks off in a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n8\r\nhello`, 'hello'],
  ['breaks off between chunks', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'hello'],
  ['breaks off in its head', `${ok}Content-Le`, ''],
])('a response that %s is lost', async ([, bytes, body]) => {
  const { endpoint } = await odd.startOriginUntilEnd(odd.dieAfter(bytes))
  const answer = startClient().send(endpoint)
  expect(await answer.outcome()).toBe('connection-lost')
  expect(answer.body).toBe(body)
})

test('a body until the end that ends with a reset is lost', async () => {
  const { endpoint, connections } = await odd.startOriginUntilEnd(odd.answer(`${ok}\r\nhello`))
  const answer = startClient().send(endpoint)
  await answer.when(({ body }) => body === 'hello')
  connections[0]?.socket.resetAndDestroy()
  expect(await answer.outcome()).toBe('connection-lost')
  expect(answer.error?.message).toContain('ECONNRESET')
})

test('what is no response fails', async () => {
  const { endpoint, ...garbage } = await odd.startOriginUntilEnd(odd.garbage)
  expect(await startClient().send(endpoint).outcome()).toBe('invalid-response')
  await vi.waitFor(() => expect(openAt({ endpoint, ...garbage })).toBe(0))
})
