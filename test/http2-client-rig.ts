import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Exchange, RequestHead } from '../standalone/exchange.ts'
import { createHttp2Client } from '../standalone/http2-client/http2-client.ts'
import type { Http2ClientLimits } from '../standalone/http2-client/limits.ts'
import type { Origin, OriginClient } from '../standalone/origin-client.ts'
import { createConnect } from '../standalone/origin-socket/origin-socket.ts'
import { type Http2Peer, type PeerBehaviour, startHttp2Peer } from './http2-peer.ts'
import { ResponseRecord } from './response-record.ts'

/** Times in which a test can wait. */
const quick: Partial<Http2ClientLimits> = { sweepInterval: 10 }

export interface Sent {
  readonly exchange: Exchange
  readonly record: ResponseRecord
}

/** Clients and origins of one test, which are gone after it. */
export class Http2ClientRig {
  readonly #closers: (() => void)[] = []
  readonly #sockets: Socket[] = []
  readonly #records: ResponseRecord[] = []
  /** Connections that were asked for. */
  connects = 0

  client(limits: Partial<Http2ClientLimits> = {}): OriginClient {
    const connect = createConnect(() => undefined)
    const client = createHttp2Client({
      connect: (origin, protocols, ready, onread) => {
        this.connects++
        const socket = connect(origin, protocols, ready, onread)
        this.#sockets.push(socket)
        return socket
      },
      limits: { ...quick, ...limits },
    })
    return client
  }

  async server(
    answer: (stream: ServerHttp2Stream, received: string[]) => void,
    options: SecureServerOptions = {},
  ): Promise<Origin & { readonly server: Http2Server | Http2SecureServer }> {
    const server: Http2Server | Http2SecureServer =
      options.cert === undefined ? createServer(options) : createSecureServer(options)
    server.on('stream', (stream: ServerHttp2Stream, _headers: object, _flags: number, received: string[]) => {
      stream.on('error', () => {})
      answer(stream, received)
    })
    server.on('session', (session) => this.#closers.push(() => session.destroy()))
    server.on('sessionError', () => {})
    this.#closers.push(() => server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { endpoint: { address: '127.0.0.1', port }, tls: undefined, server }
  }

  async peer(behaviour: PeerBehaviour): Promise<Origin & { readonly peer: Http2Peer }> {
    const peer = await startHttp2Peer(behaviour)
    this.#closers.push(() => peer.close())
    return { endpoint: { address: '127.0.0.1', port: peer.port }, tls: undefined, peer }
  }

  open(client: OriginClient, { endpoint, tls }: Origin, request: Partial<RequestHead> = {}): Sent {
    const record = new ResponseRecord()
    this.#records.push(record)
    const exchange = client.open({ endpoint, tls }, { ...get, ...request }, record)
    return { exchange, record: record.listen() }
  }

  /** A request without a body, until its end. */
  async ask(client: OriginClient, origin: Origin, request: Partial<RequestHead> = {}): Promise<ResponseRecord> {
    return this.open(client, origin, request).record.ended()
  }

  /** Takes the clients' connections away. */
  cut(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy()
  }

  /** What was told out of turn in the whole test. */
  close(): string[] {
    this.cut()
    for (const close of this.#closers.splice(0)) close()
    return this.#records.splice(0).flatMap(({ outOfTurn }) => outOfTurn)
  }
}

const get: RequestHead = {
  method: 'GET',
  target: '/',
  authority: 'origin.example',
  headers: [],
  hasBody: false,
  upgrade: undefined,
}

export const post = { method: 'POST', hasBody: true } as const

/** Milliseconds of real time, for what must not happen. */
export const pass = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
