import type { BlockList, Socket } from 'node:net'
import { ClientHelloReader } from '../../engine/client-hello.ts'
import type { Matched } from '../../engine/decision.ts'
import type { StreamForward, StreamPlace } from '../../engine/streams.ts'
import { Protocol } from '../../proto/gen/route_table.ts'
import { StreamTunnel, type StreamTunnelClient, type StreamTunnelOptions } from '../stream-tunnel.ts'
import { clientGroup, type SecureConnection, type TlsTermination } from '../tls-termination.ts'
import { type Bind, type HttpBind, listenerOf, type TcpBind, type TlsBind } from './bind.ts'
import { Peek } from './peek.ts'
import { httpVersion } from './preface.ts'
import { readProxyHeader, unmapped } from './proxy-protocol.ts'
import type { ConnectionReport, Refusal } from './report.ts'

export interface ConnectionOptions {
  readonly termination: TlsTermination
  readonly tunnels: Omit<StreamTunnelOptions, 'observe'>
  /** Balancers that begin each connection with a PROXY header. Nobody else sends one. */
  readonly balancers: BlockList
  /** Hears of each connection that no front end has taken. */
  readonly observe: (report: ConnectionReport) => void
}

/** Times in milliseconds. */
export interface ConnectionLimits {
  /** Until it is clear who takes the connection, but for the handshake of TLS, which has its own. */
  readonly headTimeout: number
  /** How long a tunnel goes on whose listener is gone. */
  readonly partingTimeout: number
}

const nothing = Buffer.alloc(0)

/**
 * A connection that was accepted, until it is taken:
 *
 *   PROXY header, from a balancer -> http: preface?      -> HTTP/1.1 or HTTP/2 front end
 *                                 -> tls:  ClientHello   -> listener by server name
 *                                                           -> passthrough: tunnel
 *                                                           -> TLS: tunnel, or HTTP/1.1 or HTTP/2 front end
 *                                 -> tcp:                   tunnel
 */
export class Connection {
  readonly #socket: Socket
  /** Its bind may be replaced. */
  readonly #at: { readonly bind: Bind }
  readonly #options: ConnectionOptions
  readonly #limits: ConnectionLimits
  readonly #peek: Peek
  #peer = { address: '', port: 0 }
  #serverName = ''
  /** Where that is known by now, and more than a port. */
  #taker: Taker | undefined
  #matched: Matched | undefined
  #tunnel: StreamTunnel | undefined
  #state: 'arriving' | 'taken' | 'refused' = 'arriving'

  constructor(socket: Socket, at: { readonly bind: Bind }, options: ConnectionOptions, limits: ConnectionLimits) {
    this.#socket = socket
    this.#at = at
    this.#options = options
    this.#limits = limits
    this.#peek = new Peek(socket)
  }

  /** Whether the client has yet to say its first byte. */
  get isSilent(): boolean {
    return this.#state === 'arriving' && this.#socket.bytesRead === 0
  }

  get isTunnel(): boolean {
    return this.#tunnel !== undefined
  }

  /** Resolves when it is taken or refused. */
  async receive(): Promise<void> {
    const { remoteAddress, remotePort } = this.#socket
    // Accepted, and reset by then.
    if (remoteAddress === undefined || remotePort === undefined) {
      this.refuse('client-left')
      return
    }
    this.#peer = { address: unmapped(remoteAddress), port: remotePort }
    const overdue = setTimeout(() => this.refuse('head-timeout'), this.#limits.headTimeout)
    const sure = (): void => clearTimeout(overdue)
    if (await this.#readProxyHeader()) await this.#hand(this.#at.bind, sure)
    sure()
  }

  refuse(why: Refusal): void {
    if (this.#state !== 'arriving') return
    this.#state = 'refused'
    this.#socket.destroy()
    this.#options.observe({ type: 'refused', why, ...this.#arrival() })
  }

  /** Ends it at once unless it is a front end's. */
  cut(): void {
    this.#tunnel?.cut()
    this.refuse('closing')
  }

  /** Lets go of it where it may not stay by what the binds and tables say now. */
  reconsider(bind: Bind | undefined): void {
    const taker = this.#taker
    if (taker === undefined) return
    const place = bind === undefined || bind.type === 'http' ? undefined : listenerOf(bind, this.#serverName)
    const now = place && takerOf(place)
    if (taker.clients !== undefined && now !== undefined && now.clients !== taker.clients) this.#socket.destroy()
    else if (this.#tunnel !== undefined && (now?.gateway !== taker.gateway || now.listener !== taker.listener)) {
      const tunnel = this.#tunnel
      setTimeout(() => tunnel.cut(), this.#limits.partingTimeout).unref()
    }
  }

  async #readProxyHeader(): Promise<boolean> {
    const { address } = this.#peer
    if (!this.#options.balancers.check(address, address.includes(':') ? 'ipv6' : 'ipv4')) return true
    const verdict = await this.#peek.until(readProxyHeader)
    if (verdict?.type !== 'header') {
      this.refuse(verdict === undefined ? 'client-left' : 'no-proxy-header')
      return false
    }
    this.#peek.skip(verdict.length)
    this.#peer = verdict.source ?? this.#peer
    return true
  }

  async #hand(bind: Bind, sure: () => void): Promise<void> {
    switch (bind.type) {
      case 'http':
        return this.#handToFrontEnd(bind)
      case 'tls':
        return this.#handByServerName(bind, sure)
      case 'tcp': {
        const place = this.#find(bind)
        if (place !== undefined) this.#join({ socket: this.#socket, early: this.#peek.take() }, this.#decide(place))
      }
    }
  }

  async #handToFrontEnd({ http1, http2, listenerPort }: HttpBind): Promise<void> {
    const version = await this.#peek.until(httpVersion)
    if (version === undefined) return this.refuse('client-left')
    const frontEnd = version === 'HTTP/2' ? http2 : http1
    if (frontEnd === undefined) this.refuse('no-http2')
    else if (this.#take()) {
      this.#socket.unshift(this.#peek.take())
      frontEnd.take(this.#socket, { ...this.#peer, tls: undefined }, { port: listenerPort, scheme: 'http' })
    }
  }

  async #handByServerName(bind: TlsBind, sure: () => void): Promise<void> {
    const reader = new ClientHelloReader()
    const verdict = await this.#peek.until((bytes) => reader.read(bytes))
    sure()
    if (verdict?.type !== 'hello') {
      this.refuse(verdict === undefined ? 'client-left' : verdict.type === 'fault' ? 'malformed-hello' : 'not-tls')
      return
    }
    this.#serverName = verdict.hello.serverName
    const place = this.#find(bind)
    if (place === undefined) return
    if (place.listener.protocol === Protocol.HTTPS) {
      const { http1, http2 } = bind
      const secured = await this.#secure(place, http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'])
      if (secured === undefined || !this.#take()) return
      const { socket, tls, protocol } = secured
      const frontEnd = protocol === 'h2' && http2 !== undefined ? http2 : http1
      frontEnd.take(socket, { ...this.#peer, tls }, { port: bind.listenerPort, scheme: 'https' })
      return
    }
    // Before any handshake, so that where nothing can be reached the client hears of no certificate.
    const forward = this.#decide(place)
    if (forward === undefined) return
    if (place.listener.tls?.passthrough === true)
      this.#join({ socket: this.#socket, early: this.#peek.take() }, forward)
    else {
      const secured = await this.#secure(place, [])
      if (secured !== undefined) this.#join({ socket: secured.socket, early: nothing }, forward)
    }
  }

  #find(bind: TlsBind | TcpBind): StreamPlace | undefined {
    const place = listenerOf(bind, this.#serverName)
    if (place === undefined) this.refuse('no-listener')
    else this.#taker = takerOf(place)
    return place
  }

  async #secure(place: StreamPlace, protocols: readonly string[]): Promise<SecureConnection | undefined> {
    const { tls } = place.listener
    const socket = this.#socket
    if (tls === undefined || socket.destroyed) {
      this.refuse(tls === undefined ? 'no-certificate' : 'client-left')
      return undefined
    }
    socket.unshift(this.#peek.take())
    const secured = await this.#options.termination.secure(socket, this.#serverName, tls, protocols)
    if (typeof secured === 'string') {
      this.refuse(secured)
      return undefined
    }
    this.reconsider(this.#at.bind)
    return secured
  }

  #decide({ streams, listener }: StreamPlace): StreamForward | undefined {
    const decision = streams.decide(listener, this.#serverName, this.#options.tunnels.random)
    if (decision.type === 'missing') {
      this.refuse('shard-unavailable')
      return undefined
    }
    this.#matched = decision.matched
    if (decision.type === 'forward') return decision
    this.refuse(decision.why)
    return undefined
  }

  #join(client: StreamTunnelClient, forward: StreamForward | undefined): void {
    if (forward === undefined || !this.#take()) return
    this.#tunnel = new StreamTunnel(client, forward.backend, forward.tls, {
      ...this.#options.tunnels,
      observe: (tunnel) => this.#options.observe({ type: 'tunnel', tunnel, ...this.#arrival() }),
    })
  }

  /** Whether it still is to be had. */
  #take(): boolean {
    if (this.#socket.destroyed) this.refuse('client-left')
    if (this.#state !== 'arriving') return false
    this.#state = 'taken'
    return true
  }

  #arrival() {
    return {
      port: this.#at.bind.listenerPort,
      peer: this.#peer,
      serverName: this.#serverName,
      gateway: this.#taker?.gateway ?? '',
      matched: this.#matched,
    }
  }
}

/** Names alone, so that a connection does not keep the table under which it came. */
interface Taker {
  readonly gateway: string
  /** Listener.id, and whether TLS passes through it. */
  readonly listener: string
  /** Which certificate clients are asked for; undefined where their TLS does not end here. */
  readonly clients: string | undefined
}

function takerOf({ streams, listener: { id, tls } }: StreamPlace): Taker {
  const isPassthrough = tls?.passthrough === true
  return {
    gateway: streams.gateway,
    listener: `${id} ${isPassthrough}`,
    clients: tls === undefined || isPassthrough ? undefined : clientGroup(tls),
  }
}
