import { expect, test } from 'vitest'
import type { Exchange, ExchangeError, RequestHead, ResponseSink } from '../exchange.ts'
import type { RawHeaders } from '../raw-headers.ts'
import { trailersFrame } from './frames.ts'
import { asGrpc, asGrpcWeb, isGrpcRequest, isGrpcWebRequest } from './grpc-web.ts'

const request = (headers: RawHeaders): RequestHead => ({
  method: 'POST',
  target: '/a.B/C',
  authority: 'shop.example',
  headers,
  hasBody: true,
  upgrade: undefined,
})

/** What was asked, what is heard of the answer, and the sink that gives it. */
function open(as: typeof asGrpc, headers: RawHeaders) {
  const heard: string[] = []
  let asked: RequestHead | undefined
  let answer: ResponseSink | undefined
  const exchange = as(
    request(headers),
    {
      informational: (status) => heard.push(`${status}`),
      head: (status, reason, lines) => heard.push(`${status} ${reason} ${lines.join('|')}`),
      data: (chunk) => {
        heard.push(`data ${chunk.toString('latin1')}`)
        return false
      },
      end: (trailers) => heard.push(`end ${trailers.join('|')}`),
      upgraded: () => heard.push('upgraded'),
      failed: (error: ExchangeError) => heard.push(`${error.kind}: ${error.message}`),
      drain: () => heard.push('drain'),
    },
    (head, sink): Exchange => {
      asked = head
      answer = sink
      return {
        write: (chunk) => heard.push(`written ${chunk}`) > 0,
        end: (trailers) => heard.push(`ended ${trailers.join('|')}`),
        resume: () => heard.push('resumed'),
        abort: () => heard.push('aborted'),
      }
    },
  )
  if (asked === undefined || answer === undefined) throw new Error('nothing was sent')
  return { exchange, asked, answer, heard }
}

const grpc: RawHeaders = ['Content-Type', 'application/grpc+proto', 'te', 'trailers', 'x', '1']
const web: RawHeaders = ['content-type', 'application/grpc-web+proto', 'x-grpc-web', '1']
const message = '\0\0\0\0\x02hi'

test.for([
  ['application/grpc', true, false],
  ['application/grpc+proto', true, false],
  ['APPLICATION/GRPC; a=b', true, false],
  ['application/grpc-web', false, true],
  ['Application/gRPC-Web+json', false, true],
  ['application/grpc-web-text', false, false],
  ['application/grpcx', false, false],
] as const)('%s is gRPC: %s, and gRPC-Web: %s', ([type, isGrpc, isWeb]) => {
  const head = request(['content-type', type])
  expect([isGrpcRequest(head), isGrpcWebRequest(head)]).toEqual([isGrpc, isWeb])
})

test('a gRPC request goes on as gRPC-Web, without trailers, and its messages as they are', () => {
  const { exchange, asked, heard } = open(asGrpcWeb, grpc)
  expect(asked.headers).toEqual(['Content-Type', 'application/grpc-web+proto', 'x', '1'])
  exchange.write(Buffer.from('a'))
  exchange.resume()
  exchange.end(['t', 'u'])
  exchange.abort()
  expect(heard).toEqual(['written a', 'resumed', 'ended ', 'aborted'])
})

test('a gRPC-Web answer comes back as gRPC, its trailers behind it', () => {
  const { answer, heard } = open(asGrpcWeb, grpc)
  answer.head(200, 'OK', ['content-type', 'application/grpc-web+proto', 'content-length', '99', 'a', 'b'])
  expect(heard).toEqual(['200 OK content-type|application/grpc+proto|a|b'])
  const trailers = trailersFrame(['grpc-status', '0', 'checksum', 'abc'])
  expect(answer.data(Buffer.from(message))).toBe(false)
  expect(answer.data(trailers.subarray(0, 3))).toBe(true)
  expect(answer.data(trailers.subarray(3))).toBe(true)
  answer.end([])
  expect(heard.slice(1)).toEqual([`data ${message}`, 'end grpc-status|0|checksum|abc'])
})

test('a status in the head waits for the end, which may come later: such an answer is one head and nothing else', () => {
  const { answer, heard } = open(asGrpcWeb, grpc)
  answer.head(200, '', ['content-type', 'application/grpc-web', 'grpc-status', '8'])
  expect(heard).toEqual([])
  answer.end([])
  expect(heard).toEqual(['200  content-type|application/grpc|grpc-status|8', 'end '])
})

test('a status in the head of an answer with a body does not wait', () => {
  const { answer, heard } = open(asGrpcWeb, grpc)
  answer.head(200, '', ['content-type', 'application/grpc-web', 'grpc-status', '0'])
  answer.data(Buffer.from(message))
  expect(heard).toEqual(['200  content-type|application/grpc|grpc-status|0', `data ${message}`])
})

test('a body that breaks off within a message is not passed off as whole', () => {
  const { answer, heard } = open(asGrpcWeb, grpc)
  answer.head(200, '', ['content-type', 'application/grpc-web'])
  answer.data(Buffer.from(message.slice(0, -1)))
  answer.end([])
  expect(heard.at(-1)).toBe('invalid-response: a message that is cut off')
})

test('a body that cannot be read ends the exchange on both sides', () => {
  const { answer, heard } = open(asGrpcWeb, grpc)
  answer.head(200, '', ['content-type', 'application/grpc-web'])
  answer.data(Buffer.concat([trailersFrame(['grpc-status', '0']), Buffer.from(message)]))
  expect(heard.slice(1)).toEqual(['aborted', 'invalid-response: bytes behind the trailers'])
})

test('a gRPC-Web request goes on as gRPC, and says that it takes trailers', () => {
  const { exchange, asked, heard } = open(asGrpc, web)
  expect(asked.headers).toEqual(['content-type', 'application/grpc+proto', 'x-grpc-web', '1', 'te', 'trailers'])
  exchange.write(Buffer.from('a'))
  expect(heard).toEqual(['written a'])
})

test('a gRPC answer comes back as gRPC-Web, its trailers within it', () => {
  const { answer, heard } = open(asGrpc, web)
  answer.head(200, '', ['content-type', 'application/grpc', 'content-length', '7'])
  answer.data(Buffer.from(message))
  answer.end(['Grpc-Status', '0'])
  expect(heard).toEqual([
    '200  content-type|application/grpc-web',
    `data ${message}`,
    'data \x80\0\0\0\x10grpc-status: 0\r\n',
    'end ',
  ])
})

test('an answer without trailers has no frame for them', () => {
  const { answer, heard } = open(asGrpc, web)
  answer.head(200, '', ['content-type', 'application/grpc', 'grpc-status', '12'])
  answer.end([])
  expect(heard).toEqual(['200  content-type|application/grpc-web|grpc-status|12', 'end '])
})

test.for([
  ['gRPC-Web', asGrpcWeb, grpc],
  ['gRPC', asGrpc, web],
] as const)('an answer that is not %s passes as it is', ([, as, headers]) => {
  const { answer, heard } = open(as, headers)
  answer.informational(103, [])
  answer.head(404, 'Not Found', ['content-type', 'text/plain', 'content-length', '2'])
  answer.data(Buffer.from('\x80!', 'latin1'))
  answer.end([])
  answer.drain()
  expect(heard).toEqual([
    '103',
    '404 Not Found content-type|text/plain|content-length|2',
    'data \x80!',
    'end ',
    'drain',
  ])
})
