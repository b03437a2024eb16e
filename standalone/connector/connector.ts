import { errorHeader, type OriginError } from '../../engine/origin-token.ts'
import type { Http1ClientLimits } from '../http1-client/limits.ts'
import type { Log } from '../log.ts'
import { ConnectorClients } from './clients.ts'
import { createConnectorHandler } from './handler.ts'
import type { ConnectorTable } from './table.ts'
import { createTokenCheck, type OriginKeys } from './token-check.ts'
import {
  createWorkerServer,
  type WorkerServer,
  type WorkerServerCounters,
  type WorkerServerLimits,
} from './worker-server.ts'

export interface ConnectorOptions {
  /** Asked for every request, as table is, so that both may change while the connector runs. */
  readonly keys: () => OriginKeys
  readonly table: () => ConnectorTable
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly log: Log
  readonly limits?: Partial<WorkerServerLimits>
  /** Of the clients that speak HTTP/1.1 to origins. */
  readonly http1?: Partial<Http1ClientLimits>
}

/** Counted since the start, but for `open` and `active`, which are now. */
export interface ConnectorCounters extends WorkerServerCounters {
  /** What the connector answered itself to requests that could be read. */
  readonly errors: Readonly<Record<OriginError, number>>
}

export interface Connector extends WorkerServer {
  readonly counters: ConnectorCounters
}

/** Takes requests from Landfall's Worker and sends each to the endpoint that its token names. */
export function createConnector({ keys, table, now, log, limits = {}, http1 = {} }: ConnectorOptions): Connector {
  const clients = new ConnectorClients((name) => table().keyPairs.get(name), http1)
  const errors = noErrors()
  const handler = createConnectorHandler({ check: createTokenCheck(keys, now), table, clients, errors, log })
  const server = createWorkerServer({ handler, log, limits, reasonHeader: errorHeader })
  return {
    get counters() {
      return { ...server.counters, errors }
    },
    listen: (address) => server.listen(address),
    close: async (grace) => {
      await server.close(grace)
      clients.close()
    },
  }
}

const noErrors = (): Record<OriginError, number> => ({
  refused: 0,
  'bad-request': 0,
  overloaded: 0,
  'connect-failed': 0,
  'tls-failed': 0,
  'connection-lost': 0,
  'invalid-response': 0,
  timeout: 0,
})
