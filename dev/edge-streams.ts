import { type StreamDecision, Streams } from '../engine/streams.ts'
import type { Table } from '../engine/table.ts'
import { AppProtocol, type Backend, type Listener, Origin } from '../proto/gen/route_table.ts'
import type { PlaceSockets } from './places.ts'

/** A table that says which listener takes a connection, and sends all that go on as they are, or as they were within TLS, to
 *  sockets of workerd: it is the Worker that decides about them. */
export class EdgeStreams extends Streams {
  readonly #asTheyAre: Backend
  readonly #withinTls: Backend

  constructor(table: Table, { connections, endedTls }: PlaceSockets) {
    super(table)
    this.#asTheyAre = workerdAt(connections)
    this.#withinTls = workerdAt(endedTls)
  }

  override decide(listener: Listener, serverName: string, random: () => number): StreamDecision {
    const { id, hostname, tls } = listener
    const matched = { listener: id, hostname, route: '', rule: 0, ruleName: '' }
    if (tls?.passthrough !== false) return { type: 'forward', matched, backend: this.#asTheyAre, tls: undefined }
    // The Worker would refuse it only after the handshake.
    const own = super.decide(listener, serverName, random)
    if (own.type === 'refuse' && own.why === 'no-route') return own
    // It reads no ClientHello here: what tells the server name to an origin of TLS tells it to the Worker.
    return {
      type: 'forward',
      matched,
      backend: this.#withinTls,
      tls: { hostname: serverName, authorities: '', subjectAltNames: [] },
    }
  }
}

/** `path` of a unix socket. */
const workerdAt = (path: string): Backend => ({
  key: path,
  protocol: AppProtocol.HTTP1,
  origin: Origin.CONNECTOR,
  originAddress: '',
  endpoints: [{ address: path, port: 0 }],
  tls: undefined,
})
