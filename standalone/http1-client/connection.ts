import type { OnReadOpts, Socket } from 'node:net'
import { ExchangeError, type ExchangeFault } from '../exchange.ts'
import type { Connect, Origin } from '../origin-client.ts'
import { lossFault } from '../origin-socket/origin-socket.ts'
import type { RawHeaders } from '../raw-headers.ts'
import type { Http1Exchange } from './exchange.ts'
import type { Http1ClientLimits } from './limits.ts'
import type { ResponseHead } from './response-head.ts'
import { Http1ResponseParser } from './response-parser.ts'

/** What all connections of a client have in common. */
export interface Http1Surroundings {
  readonly connect: Connect
  readonly limits: Http1ClientLimits
  /** Of the origins: they are Landfall's. */
  readonly isOwn: boolean
  /** All connections read into this one: each is done with it before it tells anyone. */
  readonly readBuffer: Buffer
  /** Milliseconds, in steps of `tick`. */
  readonly clock: { now: number; readonly tick: number }
}

/** Whom a connection tells about itself. */
export interface Http1ConnectionOwner {
  /** It can serve once more. */
  released(connection: Http1Connection): void
  closed(connection: Http1Connection): void
  /** The origin closed it before it heard of the exchange's request, as far as one can tell. */
  repeat(exchange: Http1Exchange): void
}

/** A connection to an origin, with at most one exchange at a time. */
export class Http1Connection {
  readonly #owner: Http1ConnectionOwner
  readonly #surroundings: Http1Surroundings
  readonly #socket: Socket
  readonly #parser: Http1ResponseParser
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  #exchange: Http1Exchange | undefined
  #hasServed = false
  #hasUploaded = false
  /** The origin lets it serve once more. */
  #isPersistent = false
  /** Milliseconds that it may then be idle. */
  #reuseTimeout: number
  #isCorked = false
  #isPaused = false
  /** By the surroundings' clock: when a byte was last read or written. */
  #lastActive: number

  constructor(origin: Origin, owner: Http1ConnectionOwner, surroundings: Http1Surroundings, exchange: Http1Exchange) {
    this.#owner = owner
    this.#surroundings = surroundings
    this.#parser = new Http1ResponseParser(surroundings.limits, surroundings.isOwn)
    this.#reuseTimeout = surroundings.limits.reuseTimeout
    this.#lastActive = surroundings.clock.now
    const ready = (error: ExchangeError | undefined) => this.#ready(error)
    // A socket that reads into a buffer of ours cannot be given away.
    if (exchange.request.upgrade === undefined) {
      this.#socket = surroundings.connect(origin, ['http/1.1'], ready, this.#reader())
    } else {
      this.#socket = surroundings.connect(origin, ['http/1.1'], ready)
      this.#socket.on('data', this.#onData)
    }
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('error', this.#onError)
    this.#socket.on('close', this.#onClose)
    this.#socket.on('drain', this.#onDrain)
    // Until it stands.
    this.#socket.cork()
    this.serve(exchange)
  }

  serve(exchange: Http1Exchange): void {
    this.#exchange = exchange
    exchange.connection = this
    this.#lastActive = this.#surroundings.clock.now
    const { request, head } = exchange
    this.#parser.expect(request.method, request.upgrade)
    if (!exchange.isSent) {
      if (!this.#hasUploaded) readBehindLostWrites(this.#socket)
      this.#hasUploaded = true
      // The head waits for the first piece of the body, which mostly comes at once.
      this.#cork()
      setImmediate(uncork, this)
    }
    this.#socket.write(head.text, 'latin1')
  }

  write(chunk: Buffer): boolean {
    this.#lastActive = this.#surroundings.clock.now
    const takesMore = this.#socket.write(chunk)
    this.uncork()
    return takesMore
  }

  /** RFC 9112 section 7.1. */
  writeChunk(chunk: Buffer): boolean {
    this.#lastActive = this.#surroundings.clock.now
    this.#cork()
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    this.#socket.write(chunk)
    const takesMore = this.#socket.write('\r\n', 'latin1')
    // The end of a short body mostly comes at once, too.
    process.nextTick(uncork, this)
    return takesMore
  }

  /** The request is whole, but for `text`. */
  writeEnd(text: string): void {
    if (text !== '') this.#socket.write(text, 'latin1')
    this.uncork()
  }

  uncork(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket.resume()
  }

  destroy(): void {
    if (this.#state === 'closed') return
    this.#socket.destroy()
    this.#close()
  }

  /** Closes the connection if it has waited for too long: rather early where it is idle, otherwise rather late. */
  sweep(): void {
    const { clock, limits } = this.#surroundings
    const waited = clock.now - this.#lastActive
    if (this.#exchange === undefined) {
      if (waited > this.#reuseTimeout - clock.tick) this.destroy()
    } else if (this.#state === 'connecting') {
      if (waited > limits.connectTimeout + clock.tick) this.#lose('connect-failed', 'no connection in time')
    } else if (waited > limits.idleTimeout + clock.tick) this.#lose('timeout', 'the origin is silent')
  }

  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
  }

  #ready(error: ExchangeError | undefined): void {
    if (this.#state === 'closed') return
    if (error !== undefined) {
      this.#fail(error)
      return
    }
    this.#state = 'open'
    this.#lastActive = this.#surroundings.clock.now
    this.#socket.uncork()
  }

  #reader(): OnReadOpts {
    const { readBuffer } = this.#surroundings
    return {
      buffer: readBuffer,
      callback: (length) => {
        this.#read(readBuffer, length)
        return true
      },
    }
  }

  /** Takes what it needs out of `bytes` before it calls the sink, which may let another connection read into them. */
  #read(bytes: Buffer, length: number): void {
    const exchange = this.#exchange
    // Nobody asked for it, so it answers nothing. RFC 9112 section 9.2.
    if (exchange === undefined) {
      this.destroy()
      return
    }
    this.#lastActive = this.#surroundings.clock.now
    exchange.isHeard = true
    const parser = this.#parser
    const outcome = parser.read(bytes, length)
    if (outcome === 'malformed') {
      this.#lose('invalid-response', parser.fault)
      return
    }
    const { head, trailers } = parser
    const informational = parser.informational.length === 0 ? noHeads : parser.informational.splice(0)
    const data = parser.dataStart < parser.dataEnd ? copy(bytes, parser.dataStart, parser.dataEnd) : undefined
    const rest = outcome === 'upgrade' ? copy(bytes, parser.at, length) : undefined
    if (head !== undefined) this.#heed(head)
    if (outcome === 'end') this.#release(exchange, parser.at === length)

    const { sink } = exchange
    for (const { status, headers } of informational) if (!exchange.isOver) sink.informational(status, headers)
    if (head !== undefined && !exchange.isOver) {
      if (rest === undefined) sink.head(head.status, head.reason, head.headers)
      else this.#giveAway(exchange, head, rest)
    }
    if (data !== undefined && !exchange.isOver && !sink.data(data)) this.#pause(exchange)
    if (outcome === 'end') exchange.finish(trailers)
  }

  #heed(head: ResponseHead): void {
    const { reuseTimeout } = this.#surroundings.limits
    const announced = head.keepAlive === undefined ? undefined : keepAliveTimeout(head.keepAlive)
    this.#reuseTimeout = announced === undefined ? reuseTimeout : Math.min(reuseTimeout, announced)
    this.#isPersistent = head.isPersistent && this.#reuseTimeout > 0
  }

  /** The response has come to its end; `isAll`: and nothing behind it. */
  #release(exchange: Http1Exchange, isAll: boolean): void {
    const isDone = exchange.isSent && this.#socket.writableLength === 0
    // One that reads by 'data' events serves once.
    if (!isAll || !isDone || !this.#isPersistent || exchange.request.upgrade !== undefined) {
      this.destroy()
      return
    }
    this.#hasServed = true
    this.#exchange = undefined
    exchange.connection = undefined
    this.#owner.released(this)
  }

  #pause(exchange: Http1Exchange): void {
    if (this.#exchange !== exchange) return
    this.#isPaused = true
    this.#socket.pause()
  }

  #giveAway(exchange: Http1Exchange, head: ResponseHead, rest: Buffer): void {
    const socket = this.#socket
    socket.pause()
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
    this.#close()
    exchange.isOver = true
    exchange.sink.upgraded(head.reason, head.headers, socket, rest)
  }

  #close(): void {
    this.#state = 'closed'
    if (this.#exchange !== undefined) this.#exchange.connection = undefined
    this.#exchange = undefined
    this.#owner.closed(this)
  }

  #lose(kind: ExchangeFault, message: string): void {
    this.#fail(new ExchangeError(kind, message, this.#exchange?.isHeard !== true))
  }

  #fail(error: ExchangeError): void {
    const exchange = this.#exchange
    this.destroy()
    if (error.kind === 'connection-lost' && this.#hasServed && exchange?.mayRepeat) this.#owner.repeat(exchange)
    else exchange?.fail(error)
  }

  readonly #onData = (bytes: Buffer): void => this.#read(bytes, bytes.length)

  readonly #onEnd = (): void => {
    if (this.#state !== 'open') return
    const exchange = this.#exchange
    if (exchange !== undefined && this.#parser.endsHere) {
      this.destroy()
      exchange.finish(noFields)
    } else this.#lose('connection-lost', 'the origin closed the connection')
  }

  /** 'close' follows, and of a connection that does not stand, `ready` tells. */
  readonly #onError = (error: Error): void => {
    if (this.#state === 'open') this.#lose(lossFault(error), error.message)
  }

  readonly #onClose = (): void => {
    if (this.#state === 'connecting') this.#lose('connect-failed', 'the connection was closed')
    else if (this.#state === 'open') this.#lose('connection-lost', 'the connection was closed')
  }

  readonly #onDrain = (): void => {
    this.#lastActive = this.#surroundings.clock.now
    if (this.#exchange !== undefined && !this.#exchange.isSent) this.#exchange.sink.drain()
  }
}

const noHeads: readonly ResponseHead[] = []
const noFields: RawHeaders = []

/** An origin that has answered in the middle of an upload may reset the connection, and a write hears of it before the answer
 *  is read. The socket would close for that; reading on, it gives the answer first and the reset then. */
function readBehindLostWrites(socket: Socket): void {
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  type Done = Parameters<typeof write>[2]
  const unlessLost =
    (done: Done): Done =>
    (error) => {
      if (!isLost(error)) done(error)
    }
  socket._write = (chunk, encoding, done) => write(chunk, encoding, unlessLost(done))
  if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, unlessLost(done))
}

const isLost = (error: (Error & { readonly code?: string }) | null | undefined): boolean =>
  error?.code === 'ECONNRESET' || error?.code === 'EPIPE'

const uncork = (connection: Http1Connection): void => connection.uncork()

function copy(bytes: Buffer, start: number, end: number): Buffer {
  const own = Buffer.allocUnsafe(end - start)
  bytes.copy(own, 0, start, end)
  return own
}

/** Milliseconds that a connection may wait for a request: somewhat less than the origin, who began to wait earlier. */
function keepAliveTimeout(value: string): number | undefined {
  const seconds = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(value)?.[1]
  return seconds === undefined ? undefined : 800 * Number(seconds)
}
