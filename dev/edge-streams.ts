import { type StreamDecision, Streams } from '../engine/streams.ts'
import type { Table } from '../engine/table.ts'
import { AppProtocol, type Backend, type Listener, Origin } from '../proto/gen/route_table.ts'

/** A table that says which listener takes a connection, and sends all that go on as they are to one socket of workerd: it is
 *  the Worker that decides about them. */
export class EdgeStreams extends Streams {
  readonly #workerd: Backend

  /** Path of a unix socket. */
  constructor(table: Table, path: string) {
    super(table)
    this.#workerd = {
      key: 'workerd',
      protocol: AppProtocol.HTTP1,
      origin: Origin.CONNECTOR,
      originAddress: '',
      endpoints: [{ address: path, port: 0 }],
      tls: undefined,
    }
  }

  override decide({ id, hostname, tls }: Listener): StreamDecision {
    const matched = { listener: id, hostname, route: '', rule: 0, ruleName: '' }
    // The Worker reads server names from ClientHellos, of which there is none where TLS ends here.
    if (tls?.passthrough === false) return { type: 'refuse', matched, why: 'no-route' }
    return { type: 'forward', matched, backend: this.#workerd, tls: undefined }
  }
}
