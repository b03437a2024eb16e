import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Exchange, ExchangeError, type ResponseSink } from '../standalone/exchange.ts'
import type { Entrance, FrontEnd, FrontEndOptions } from '../standalone/front-end/front-end.ts'
import type { ClientRequest, Handler, Peer } from '../standalone/handler.ts'
import type { RawHeaders } from '../standalone/raw-headers.ts'
import { RawConnection } from './raw-connection.ts'

/** A request that a front end has handed over, and the other end of its exchange. */
export class Asked implements Exchange {
  readonly request: ClientRequest
  readonly sink: ResponseSink
  readonly received: Buffer[] = []
  /** Set by end(). */
  trailers: RawHeaders | undefined
  aborted = false
  /** Set by fail(). */
  failed = false
  resumed = 0
  /** What write() answers. */
  takes = true
  readonly #waiting = new Set<() => void>()

  constructor(request: ClientRequest, sink: ResponseSink) {
    this.request = request
    this.sink = sink
  }

  get body(): string {
    return Buffer.concat(this.received).toString('latin1')
  }

  write(chunk: Buffer): boolean {
    this.#mustBeOpen('write')
    this.received.push(chunk)
    this.#look()
    return this.takes
  }

  end(trailers: RawHeaders): void {
    this.#mustBeOpen('end')
    this.trailers = trailers
    this.#look()
  }

  resume(): void {
    this.resumed++
    this.#look()
  }

  abort(): void {
    this.aborted = true
    this.#look()
  }

  answer(status: number, headers: RawHeaders, body = ''): void {
    this.sink.head(status, '', headers)
    if (body !== '') this.sink.data(Buffer.from(body, 'latin1'))
    this.sink.end([])
  }

  fail(kind: ExchangeError['kind']): void {
    this.failed = true
    this.sink.failed(new ExchangeError(kind, 'as the test wants it', false))
  }

  /** Resolves once `holds`, which is asked whenever the front end has called. */
  until(holds: (asked: Asked) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds(this)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }

  #mustBeOpen(call: string): void {
    if (this.aborted || this.trailers !== undefined) throw new Error(`${call}() after the end`)
  }
}

/** Answers every request, once it is whole, with its method, target and body. */
export const echoed = (asked: Asked): void => {
  asked
    .until(({ trailers }) => trailers !== undefined)
    .then(() => {
      const { method, target } = asked.request
      asked.answer(200, [], `${method} ${target} ${asked.body}`)
    })
}

/** Whether it is done within 50 ms. */
export const within50ms = (done: Promise<void>): Promise<boolean> =>
  Promise.race([done.then(() => true), sleep(50).then(() => false)])

export interface FrontEndRig {
  readonly frontEnd: FrontEnd
  readonly port: number
  /** Every request so far. */
  readonly asked: readonly Asked[]
  /** Event and fields of everything logged. */
  readonly logged: readonly string[]
  /** The request that was handed over next after those that this has given already. */
  next(): Promise<Asked>
  client(): Promise<RawConnection>
  close(): Promise<void>
}

export interface FrontEndRigOptions<Limits> {
  readonly limits?: Partial<Limits>
  /** What to do with each request; without it, the test does it. */
  readonly serve?: (asked: Asked) => void
  readonly entrance?: Entrance
  readonly peer?: Peer
  /** Of a unix socket, in place of the port. */
  readonly path?: string
}

export const peer: Peer = { address: '192.0.2.7', port: 4711, tls: undefined }

/** A front end behind a free port of 127.0.0.1, or a unix socket. */
export async function startFrontEnd<Limits>(
  create: (options: FrontEndOptions<Limits>) => FrontEnd,
  options: FrontEndRigOptions<Limits> = {},
): Promise<FrontEndRig> {
  const asked: Asked[] = []
  const logged: string[] = []
  const waiting: (() => void)[] = []
  let given = 0
  const handler: Handler = (request, sink) => {
    const one = new Asked(request, sink)
    asked.push(one)
    options.serve?.(one)
    for (const look of waiting.splice(0)) look()
    return one
  }
  const frontEnd = create({
    handler,
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    ...(options.limits && { limits: options.limits }),
  })
  const sockets = new Set<Socket>()
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    frontEnd.take(socket, options.peer ?? peer, options.entrance ?? { port: 80, scheme: 'http' })
  })
  if (options.path === undefined) listener.listen(0, '127.0.0.1')
  else listener.listen(options.path)
  await once(listener, 'listening')
  const bound = listener.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  return {
    frontEnd,
    port,
    asked,
    logged,
    next: async () => {
      for (;;) {
        const one = asked[given]
        if (one !== undefined) {
          given++
          return one
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    client: async () => {
      if (options.path === undefined) return RawConnection.open(port)
      const socket = connect({ path: options.path, allowHalfOpen: true })
      await once(socket, 'connect')
      return new RawConnection(socket)
    },
    close: async () => {
      listener.close()
      for (const socket of sockets) socket.destroy()
      await frontEnd.close(0)
    },
  }
}
