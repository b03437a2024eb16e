import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import { onTestFinished } from 'vitest'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import type { Http2Limits } from '../standalone/http2-server/limits.ts'
import { type FrontEndRig, type FrontEndRigOptions, startFrontEnd } from './front-end-rig.ts'
import { Http2Wire } from './http2-wire.ts'

export const webSocketKey = 'dGhlIHNhbXBsZSBub25jZQ=='
export const webSocketAccept = createHash('sha1')
  .update(`${webSocketKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64')

/** A front end of HTTP/2, until the test is over. */
export async function startHttp2(options: FrontEndRigOptions<Http2Limits> = {}): Promise<FrontEndRig> {
  const rig = await startFrontEnd(
    (shared) => createHttp2Server({ ...shared, webSocketKey: () => webSocketKey }),
    options,
  )
  onTestFinished(() => rig.close())
  return rig
}

/** A client of it, once it has the server's SETTINGS. */
export async function client({ port }: FrontEndRig): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  return session
}

/** A client of it that sends what it likes. */
export async function wire({ port }: FrontEndRig): Promise<Http2Wire> {
  const opened = await Http2Wire.open(port)
  onTestFinished(() => void opened.socket.destroy())
  return opened
}

export interface Got {
  readonly status: number
  readonly lines: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  /** undefined: the stream was not reset. */
  readonly reset: number | undefined
}

/** All of an answer. */
export function answerOf(stream: ClientHttp2Stream): Promise<Got> {
  return new Promise((resolve) => {
    let status = 0
    let lines: readonly string[] = []
    let trailers: readonly string[] = []
    const body: Buffer[] = []
    stream.on('response', (headers, _flags, raw: readonly string[]) => {
      status = headers[':status'] ?? 0
      lines = raw.slice(2)
    })
    stream.on('trailers', (_headers, _flags, raw: readonly string[]) => {
      trailers = raw
    })
    stream.on('data', (chunk: Buffer) => body.push(chunk))
    stream.on('error', () => {})
    stream.on('close', () => {
      const reset = stream.rstCode === 0 ? undefined : stream.rstCode
      resolve({ status, lines, body: Buffer.concat(body).toString('latin1'), trailers, reset })
    })
  })
}

export const get: OutgoingHttpHeaders = { ':path': '/g?q=1', ':authority': 'Shop.Example:8080' }
export const post: OutgoingHttpHeaders = { ':path': '/p', ':method': 'POST', ':authority': 'a' }

export type Fields = readonly (readonly [name: string, value: string])[]

/** A request that is well-formed. */
export const good: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
]

/** The same for another path. */
export const path = (value: string): Fields => [...good.slice(0, 3), [':path', value] as const]
