import { expect, test, vi } from 'vitest'
import { clear, openAt, post, sized, startClient } from '../../test/http1-client-rig.ts'
import * as odd from '../../test/origins.ts'

test.for([
  ['of known length goes out as it is', ['Content-Length', '5'], 'Content-Length: 5\r\n\r\nhello'],
  ['of unknown length goes out in chunks', [], 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
] as const)('a body %s, in one write with the head if it comes at once', async ([, headers, text]) => {
  const { endpoint, connections } = await odd.startOriginUntilEnd(odd.answer(sized('')))
  const writes: { readonly mock: { readonly calls: unknown[] } }[] = []
  const rig = startClient({}, (...order) => {
    const socket = clear(...order)
    writes.push(vi.spyOn(socket, '_write'), vi.spyOn(socket, '_writev'))
    return socket
  })
  for (let count = 0; count < 2; count++) {
    const answer = rig.send(endpoint, { ...post, headers })
    answer.exchange?.write(Buffer.from('hello'))
    answer.exchange?.end([])
    await answer.over()
  }
  const request = `POST / HTTP/1.1\r\nHost: a.example\r\n${text}`
  expect(connections.map(({ received }) => received)).toEqual([`${request}${request}`])
  // Several pieces in one write pass by Writable._writev.
  expect(writes.map(({ mock }) => mock.calls.length)).toEqual([0, 2])
})

test('a head does not wait for its body for long', async () => {
  const { endpoint, connections } = await odd.startOriginUntilEnd(odd.silent)
  startClient().send(endpoint, post)
  await vi.waitFor(() => expect(connections[0]?.received).toContain('\r\n\r\n'))
})

test('a body of unknown length goes out in chunks, with trailers', async () => {
  const { endpoint } = await odd.startOriginUntilEnd(async (connection) => {
    const head = await connection.until('\r\n\r\n')
    connection.write(sized(head + (await connection.until('\r\n\r\n'))))
  })
  const answer = startClient().send(endpoint, post)
  for (const piece of ['hello', '', 'x'.repeat(17)]) answer.exchange?.write(Buffer.from(piece))
  answer.exchange?.end(['T', '1'])
  expect((await answer.over()).body.split('\r\n\r\n')[1]).toBe(`5\r\nhello\r\n11\r\n${'x'.repeat(17)}\r\n0\r\nT: 1`)
})

test('a slow origin holds the upload back', async () => {
  const megabytes = 64
  const { endpoint, connections } = await odd.startOriginUntilEnd(({ socket }) => {
    socket.pause()
  })
  const answer = startClient().send(endpoint, { ...post, headers: ['Content-Length', `${megabytes << 20}`] })
  let written = 0
  const upload = async () => {
    for (const block = Buffer.alloc(1 << 20, 'x'); written < megabytes; written++) {
      const { drains } = answer
      if (answer.exchange?.write(block) === false) await answer.when(() => answer.drains > drains)
    }
  }
  const uploaded = upload()
  await vi.waitFor(() => expect(connections).toHaveLength(1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(written).toBeLessThan(megabytes / 2)
  connections[0]?.socket.resume()
  await uploaded
  await vi.waitFor(() => expect(connections[0]?.received.length).toBeGreaterThan(megabytes << 20))
  answer.exchange?.abort()
})

test('a response before the end of its request stops the upload', async () => {
  const early = await odd.startOriginUntilEnd(odd.answerEarly(sized('too large')))
  const answer = startClient().send(early.endpoint, post)
  answer.exchange?.write(Buffer.from('a piece'))
  expect(await answer.outcome()).toBe('whole')
  await vi.waitFor(() => expect(openAt(early)).toBe(0))
  expect(answer.exchange?.write(Buffer.from('another'))).toBe(true)
  answer.exchange?.end([])
})

test.for<[string, string, string]>([
  ['with its answer, is heard', sized('too large'), 'whole'],
  ['without an answer, is noticed', '', 'connection-lost, unheard'],
])('an origin that resets the connection in the middle of an upload, %s', async ([, bytes, outcome]) => {
  const upload = { current: (): unknown => undefined }
  const rude = await odd.startOriginUntilEnd(async (connection) => {
    await connection.until('piece')
    connection.write(bytes)
    connection.socket.resetAndDestroy()
    // The write meets the reset before anything has been read.
    upload.current()
  })
  const rig = startClient()
  for (let count = 1; count <= 2; count++) {
    const answer = rig.send(rude.endpoint, post)
    upload.current = () => answer.exchange?.write(Buffer.from('another'))
    answer.exchange?.write(Buffer.from('a piece'))
    expect(await answer.outcome()).toBe(outcome)
  }
  expect(rude.connections).toHaveLength(2)
})

test.for<[string, string[], string[], string]>([
  ['that cannot be written', ['A', '1\r\nB: 2'], [], 'invalid-request, unheard'],
  ['with a shorter body than it says', ['Content-Length', '5'], ['hell'], 'invalid-request, unheard'],
  ['with a longer body than it says', ['Content-Length', '5'], ['hello', 'x'], 'invalid-request, unheard'],
])('a request %s fails, and its connection serves no other', async ([, headers, body, outcome]) => {
  const echo = await odd.startOriginUntilEnd(odd.silent)
  const answer = startClient().send(echo.endpoint, { ...post, headers })
  for (const piece of body) answer.exchange?.write(Buffer.from(piece))
  answer.exchange?.end([])
  expect(await answer.outcome()).toBe(outcome)
  await vi.waitFor(() => expect(openAt(echo)).toBe(0))
  expect(echo.connections.map(({ received }) => received).join('')).not.toContain('hellox')
})
