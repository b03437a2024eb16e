import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { BackendEndpoints, EndpointBalancer, Outcome } from '../engine/endpoints.ts'
import type { Backend, Endpoint } from '../proto/gen/route_table.ts'
import type { Connect } from './origin-client.ts'
import { ReadBuffer } from './stream-tunnel-buffer.ts'

export interface StreamTunnelOptions {
  readonly balancer: EndpointBalancer
  readonly connect: Connect
  /** Milliseconds that only ever grow. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Hears of each tunnel once it is over. */
  readonly observe: (report: TunnelReport) => void
  readonly limits?: Partial<StreamTunnelLimits>
}

/** Times in milliseconds. */
export interface StreamTunnelLimits {
  readonly connectTimeout: number
  /** Endpoints that are tried. */
  readonly tries: number
  /** Without a byte in either direction. */
  readonly idleTimeout: number
}

const streamTunnelLimits: StreamTunnelLimits = { connectTimeout: 5_000, tries: 3, idleTimeout: 3_600_000 }

export interface TunnelReport {
  /** Backend.key. */
  readonly backend: string
  /** Of the last try; undefined where the backend has none. */
  readonly endpoint: Endpoint | undefined
  readonly ending: TunnelEnding
  /** Bytes from the client, and to it. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Milliseconds. */
  readonly duration: number
}

export type TunnelEnding =
  /** Both ends said that they were done. */
  | 'finished'
  | 'no-endpoints'
  | 'connect-failed'
  | 'client-lost'
  | 'origin-lost'
  | 'idle'
  /** By StreamTunnel.cut. */
  | 'cut'

/** What is to be joined: `early` came from the client already. */
export interface StreamTunnelClient {
  /** A TCP socket that may be half open, or TLS over one; paused, or never read from. */
  readonly socket: Socket
  readonly early: Buffer
}

/**
 * A client's connection that is joined with one to an endpoint of a backend: bytes pass both ways until both ends are done, and
 * when either is lost, the other is reset.
 */
export class StreamTunnel {
  readonly #client: Socket
  readonly #early: Buffer
  readonly #backend: Backend
  readonly #tls: Backend['tls']
  readonly #options: StreamTunnelOptions
  readonly #limits: StreamTunnelLimits
  readonly #endpoints: BackendEndpoints
  readonly #since: number
  readonly #tried = new Set<number>()
  #origin: Socket | undefined
  #endpoint: number | undefined
  #connectTimer: NodeJS.Timeout | undefined
  #isOriginHeld = false
  #lost: TunnelEnding | undefined
  #ending: TunnelEnding | undefined
  #bytesReceived = 0
  #bytesSent = 0

  /** `tls` is Backend.tls, or undefined to pass a client's own TLS on. */
  constructor(client: StreamTunnelClient, backend: Backend, tls: Backend['tls'], options: StreamTunnelOptions) {
    this.#client = client.socket
    this.#early = client.early
    this.#backend = backend
    this.#tls = tls
    this.#options = options
    this.#limits = { ...streamTunnelLimits, ...options.limits }
    this.#endpoints = options.balancer.of(backend)
    this.#since = options.now()
    // 'close' follows.
    this.#client.on('error', () => {})
    this.#client.once('close', () => this.#closed(this.#client, this.#origin, 'client-lost'))
    this.#try()
  }

  /** Ends it at once, and resets both ends. */
  cut(): void {
    this.#end('cut')
  }

  #try(): void {
    const { now, random, connect } = this.#options
    const index = this.#endpoints.pick(now(), random, this.#tried)
    const endpoint = index === undefined ? undefined : this.#backend.endpoints[index]
    // Only endpoints that were tried are left.
    if (index === undefined || endpoint === undefined || this.#tried.has(index)) {
      this.#end(this.#tried.size === 0 ? 'no-endpoints' : 'connect-failed')
      return
    }
    this.#tried.add(index)
    this.#endpoint = index
    this.#endpoints.started(index)

    const buffer = new ReadBuffer((bytes) => this.#toClient(bytes))
    const origin = connect(
      { endpoint, tls: this.#tls },
      [],
      (error) => {
        if (this.#origin !== origin) return
        if (error === undefined) this.#join(origin)
        else this.#retry('connect-failed')
      },
      buffer,
    )
    origin.allowHalfOpen = true
    origin.on('error', () => {})
    this.#origin = origin
    this.#connectTimer = setTimeout(() => this.#retry('timed-out'), this.#limits.connectTimeout)
  }

  #retry(outcome: Outcome): void {
    this.#leaveOrigin(outcome)
    if (this.#tried.size < this.#limits.tries) this.#try()
    else this.#end('connect-failed')
  }

  #join(origin: Socket): void {
    clearTimeout(this.#connectTimer)
    const client = this.#client
    const idle = (): void => this.#end('idle')
    client.setTimeout(this.#limits.idleTimeout, idle)
    origin.setTimeout(this.#limits.idleTimeout, idle)
    // A peer that vanished without a word is found out before the idle timeout.
    client.setKeepAlive(true, 60_000)
    origin.setKeepAlive(true, 60_000)

    origin.once('close', () => this.#closed(origin, client, 'origin-lost'))
    origin.once('end', () => client.end())
    client.on('data', (bytes: Buffer) => {
      this.#bytesReceived += bytes.length
      if (!origin.write(bytes)) client.pause()
    })
    origin.on('drain', () => client.resume())
    this.#bytesReceived += this.#early.length
    if (this.#early.length > 0) origin.write(this.#early)
    // TLS reads on its own, so that a client with nothing to say may have ended by now.
    if (client.readableEnded) origin.end()
    else client.once('end', () => origin.end())
    client.resume()
  }

  /** The result says whether `bytes` may be written over at once. */
  #toClient(bytes: Uint8Array): boolean {
    if (this.#client.destroyed) return true
    this.#bytesSent += bytes.length
    this.#client.write(bytes, this.#flushed)
    this.#isOriginHeld = this.#client.writableLength > 0
    return !this.#isOriginHeld
  }

  readonly #flushed = (): void => {
    if (!this.#isOriginHeld) return
    this.#isOriginHeld = false
    this.#origin?.resume()
  }

  /** One end has closed. What it sent to its end still reaches the other. */
  #closed(socket: Socket, other: Socket | undefined, lost: TunnelEnding): void {
    if (!socket.writableFinished) this.#lost ??= lost
    if (!socket.readableEnded || other === undefined || other.closed) this.#end(this.#lost ?? 'finished')
    else if (!socket.writableFinished) other.destroySoon()
  }

  #end(ending: TunnelEnding): void {
    if (this.#ending !== undefined) return
    this.#ending = ending
    const endpoint = this.#endpoint === undefined ? undefined : this.#backend.endpoints[this.#endpoint]
    this.#leaveOrigin(this.#outcome(ending))
    reset(this.#client)
    this.#options.observe({
      backend: this.#backend.key,
      endpoint,
      ending,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      duration: this.#options.now() - this.#since,
    })
  }

  #outcome(ending: TunnelEnding): Outcome {
    if (this.#bytesSent > 0 || ending === 'finished') return 'answered'
    return ending === 'origin-lost' ? 'connection-lost' : 'abandoned'
  }

  #leaveOrigin(outcome: Outcome): void {
    clearTimeout(this.#connectTimer)
    const origin = this.#origin
    this.#origin = undefined
    if (origin === undefined || this.#endpoint === undefined) return
    this.#endpoints.finished(this.#endpoint, outcome, this.#options.now())
    reset(origin)
  }
}

/** So that the peer does not take what it got for the whole. TLS says so by the close_notify that does not come. */
function reset(socket: Socket): void {
  if (socket.closed) return
  // A unix socket has no address, and no reset.
  if (socket instanceof TLSSocket || socket.connecting || socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
