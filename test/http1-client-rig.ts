import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { BackendTls, Endpoint } from '../proto/gen/route_table.ts'
import type { Exchange, ExchangeError, RequestHead, ResponseSink } from '../standalone/exchange.ts'
import { createHttp1Client } from '../standalone/http1-client/http1-client.ts'
import type { Http1ClientLimits } from '../standalone/http1-client/limits.ts'
import type { Connect, OriginClient } from '../standalone/origin-client.ts'
import { createConnect } from '../standalone/origin-socket/origin-socket.ts'
import type { RawHeaders } from '../standalone/raw-headers.ts'
import type { Origin } from './origins.ts'

export interface ClientRig {
  readonly client: OriginClient
  /** Sends a request without a body, or with one that the test writes: `changes` to a GET of "/". */
  send(
    endpoint: Endpoint,
    changes?: Partial<RequestHead>,
    takesData?: (answer: Answer) => boolean,
    tls?: BackendTls,
  ): Answer
}

export function http1Rig(
  limits: Partial<Http1ClientLimits> = {},
  connect: Connect = createConnect(() => undefined),
  now = () => performance.now(),
): ClientRig {
  const client = createHttp1Client({ connect, limits, now })
  return {
    client,
    send: (endpoint, changes = {}, takesData = () => true, tls = undefined) => {
      const request = { ...get, ...changes }
      const answer = new Answer(takesData)
      answer.exchange = client.open({ endpoint, tls }, request, answer)
      if (!request.hasBody) answer.exchange.end([])
      return answer
    },
  }
}

/** Connects without TLS. */
export const clear = createConnect(() => undefined)

/** A client that is closed when the test is over. */
export function startClient(limits?: Partial<Http1ClientLimits>, connect?: Connect): ClientRig {
  const rig = http1Rig(limits, connect)
  onTestFinished(() => rig.client.close())
  return rig
}

/** How many connections are still open at the origin's end. */
export const openAt = ({ connections }: Origin): number =>
  connections.filter((connection) => connection.closed === undefined).length

export const ok = 'HTTP/1.1 200 OK\r\n'

/** An answer with a body of known length, and with more header lines. */
export const sized = (body: string, lines = ''): string => `${ok}${lines}Content-Length: ${body.length}\r\n\r\n${body}`

export const post = { method: 'POST', hasBody: true } as const

const get: RequestHead = {
  method: 'GET',
  target: '/',
  authority: 'a.example',
  headers: [],
  hasBody: false,
  upgrade: undefined,
}

/** Remembers what a sink was told, and fails if it is told so in a wrong order. */
export class Answer implements ResponseSink {
  /** Set when open() has returned. */
  exchange: Exchange | undefined
  readonly informationals: (readonly [status: number, headers: RawHeaders])[] = []
  status = 0
  reason = ''
  headers: RawHeaders = []
  readonly pieces: Buffer[] = []
  trailers: RawHeaders = []
  error: ExchangeError | undefined
  tunnel: { readonly socket: Duplex; readonly rest: Buffer } | undefined
  drains = 0
  state: 'waiting' | 'begun' | 'over' = 'waiting'
  readonly #takesData: (answer: Answer) => boolean
  readonly #waiting = new Set<() => void>()

  constructor(takesData: (answer: Answer) => boolean) {
    this.#takesData = takesData
  }

  get body(): string {
    return Buffer.concat(this.pieces).toString('latin1')
  }

  informational(status: number, headers: RawHeaders): void {
    this.#expect('waiting')
    this.informationals.push([status, headers])
    this.#look()
  }

  head(status: number, reason: string, headers: RawHeaders): void {
    this.#expect('waiting')
    Object.assign(this, { status, reason, headers, state: 'begun' })
    this.#look()
  }

  data(chunk: Buffer): boolean {
    this.#expect('begun')
    if (chunk.length === 0) throw new Error('an empty piece')
    this.pieces.push(chunk)
    this.#look()
    return this.#takesData(this)
  }

  end(trailers: RawHeaders): void {
    this.#expect('begun')
    Object.assign(this, { trailers, state: 'over' })
    this.#look()
  }

  upgraded(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    this.#expect('waiting')
    Object.assign(this, { status: 101, reason, headers, tunnel: { socket, rest }, state: 'over' })
    this.#look()
  }

  failed(error: ExchangeError): void {
    if (this.state === 'over') throw new Error(`failed after the end: ${error.message}`)
    Object.assign(this, { error, state: 'over' })
    this.#look()
  }

  drain(): void {
    this.drains++
    this.#look()
  }

  /** Waits until `holds`. */
  when(holds: (answer: this) => boolean): Promise<this> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds(this)) return
        this.#waiting.delete(look)
        resolve(this)
      }
      this.#waiting.add(look)
      look()
    })
  }

  over(): Promise<this> {
    return this.when(() => this.state === 'over')
  }

  /** How it ended: the error's kind, with "unheard" if it is that, or "whole". */
  async outcome(): Promise<string> {
    const { error } = await this.over()
    return error === undefined ? 'whole' : `${error.kind}${error.unheard ? ', unheard' : ''}`
  }

  #expect(state: Answer['state']): void {
    if (this.exchange === undefined) throw new Error('called before open() has returned')
    if (this.state !== state) throw new Error(`${this.state}, not ${state}`)
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }
}
