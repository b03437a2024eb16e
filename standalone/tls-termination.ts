import { constants, createHash, createHmac } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { ClientValidation, Tls } from '../proto/gen/route_table.ts'
import type { Certificate, Certificates } from './certificates.ts'
import type { PeerTls } from './handler.ts'

export interface TlsTerminationOptions {
  readonly certificates: Certificates
  /** What the keys of session tickets are made from: processes that share it resume each other's sessions. */
  readonly ticketSecret: Buffer
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly limits?: Partial<TlsLimits>
}

export interface TlsLimits {
  /** Servers that are kept, each with its certificate's context: some 30 kB and 0.2 ms to make it again. */
  readonly servers: number
  /** Milliseconds for the whole handshake. */
  readonly handshakeTimeout: number
}

const tlsLimits: TlsLimits = { servers: 1_000, handshakeTimeout: 10_000 }

export interface SecureConnection {
  /** May be half open. */
  readonly socket: TLSSocket
  readonly tls: PeerTls
  /** undefined where ALPN chose nothing. */
  readonly protocol: string | undefined
}

export type HandshakeFault = 'no-certificate' | 'handshake-failed' | 'handshake-timeout'

/** Client-offered suites are taken in the client's order: phones without AES in hardware know best. TLS 1.3 has its own. */
const ciphers = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20'

/** How long tickets are made with the same keys, in milliseconds. */
const ticketPeriod = 86_400_000

/** The server side of TLS handshakes, for connections whose ClientHello was read already. */
export class TlsTermination {
  readonly #options: TlsTerminationOptions
  readonly #limits: TlsLimits
  /** The longest unused first. */
  readonly #servers = new Map<string, Server>()
  /** Connections in their handshake, by addresses and ports: a TLSSocket does not say which socket it is over. */
  readonly #handshakes = new Map<string, (socket: TLSSocket) => void>()

  constructor(options: TlsTerminationOptions) {
    this.#options = options
    this.#limits = { ...tlsLimits, ...options.limits }
  }

  /**
   * Shakes hands over `socket`, whose bytes so far have been put back. `serverName` is that of the ClientHello: in a resumed
   * session of TLS 1.2 OpenSSL knows none. On a fault the socket is destroyed.
   */
  secure(
    socket: Socket,
    serverName: string,
    tls: Tls,
    protocols: readonly string[],
  ): Promise<SecureConnection | HandshakeFault> {
    return new Promise((resolve) => {
      const server = this.#server(tls, serverName, protocols)
      const place = placeOf(socket)
      const fail = (fault: HandshakeFault): void => {
        clearTimeout(overdue)
        if (this.#handshakes.get(place) === done) this.#handshakes.delete(place)
        socket.destroy()
        resolve(fault)
      }
      const overdue = setTimeout(fail, this.#limits.handshakeTimeout, 'handshake-timeout')
      const closed = (): void => fail('handshake-failed')
      const done = (secured: TLSSocket): void => {
        clearTimeout(overdue)
        socket.off('close', closed)
        this.#handshakes.delete(place)
        secured.allowHalfOpen = true
        // 'close' follows.
        secured.on('error', () => {})
        resolve({ socket: secured, tls: peerTls(secured, serverName), protocol: secured.alpnProtocol || undefined })
      }
      if (server === undefined) {
        fail('no-certificate')
        return
      }
      socket.once('close', closed)
      // A client that ends in its handshake has left.
      socket.allowHalfOpen = false
      this.#handshakes.set(place, done)
      server.emit('connection', socket)
    })
  }

  #server(tls: Tls, serverName: string, protocols: readonly string[]): Server | undefined {
    const certificates = this.#options.certificates.choose(tls.certificates, serverName)
    if (certificates.length === 0) return undefined
    const period = Math.floor(this.#options.now() / ticketPeriod)
    const group = clientGroup(tls)
    const key = [group, period, protocols, ...certificates.map(({ id }) => id)].join(' ')
    const server = this.#servers.get(key) ?? this.#create(certificates, tls.clients, `${group} ${period}`, protocols)
    this.#servers.delete(key)
    this.#servers.set(key, server)
    for (const longestUnused of this.#servers.keys()) {
      if (this.#servers.size <= this.#limits.servers) break
      this.#servers.delete(longestUnused)
    }
    return server
  }

  /**
   * `tickets` names those who may resume a session together. A session that is resumed has the verdict on the client's
   * certificate with which it began, so that never are two groups of clients to share tickets, and not even a server
   * object: OpenSSL looks at the keys and at the id of the context which the server began with, not at those of the
   * certificate that it then chose.
   */
  #create(
    certificates: readonly Certificate[],
    clients: ClientValidation | undefined,
    tickets: string,
    protocols: readonly string[],
  ): Server {
    const server = createServer({
      cert: certificates.map(({ pair }) => pair.certificate),
      key: certificates.map(({ pair }) => pair.privateKey),
      // Without any, Node.js would trust those of the web.
      ca: clients === undefined ? [] : [clients.authorities],
      requestCert: clients !== undefined,
      rejectUnauthorized: clients !== undefined && !clients.insecureFallback,
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
      minVersion: 'TLSv1.2',
      ciphers,
      honorCipherOrder: false,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ticketKeys: createHmac('sha384', this.#options.ticketSecret).update(tickets).digest(),
      sessionIdContext: createHash('sha256').update(tickets).digest('hex').slice(0, 32),
    })
    server.on('secureConnection', (socket) => {
      const done = this.#handshakes.get(placeOf(socket))
      // The client has reset the connection: it has no address any more.
      if (done === undefined) socket.destroy()
      else done(socket)
    })
    // The socket closes.
    server.on('tlsClientError', () => {})
    return server
  }
}

/** Clients of one group are asked for the same: a session or a connection of one group is worth nothing in another. */
export function clientGroup({ clients }: Pick<Tls, 'clients'>): string {
  if (clients === undefined) return 'all'
  let group = groups.get(clients)
  if (group === undefined) {
    const { authorities, insecureFallback } = clients
    group = createHash('sha256').update(`${insecureFallback} ${authorities}`).digest('base64url')
    groups.set(clients, group)
  }
  return group
}

const groups = new WeakMap<ClientValidation, string>()

const placeOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

function peerTls(socket: TLSSocket, serverName: string): PeerTls {
  const certificate = socket.getPeerX509Certificate()
  return {
    serverName,
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    // Where no certificate is needed, a session that is resumed without one counts as authorized.
    certificate: certificate && { der: certificate.raw, verified: socket.authorized },
  }
}
