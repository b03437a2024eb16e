import { errorHeader, type OriginError } from '../../engine/origin-token.ts'
import { endpointKey } from '../../engine/origin-token-address.ts'
import type { Exchange, ExchangeError, RequestHead, ResponseSink } from '../exchange.ts'
import { asGrpc, isGrpcWebRequest } from '../grpc-web/grpc-web.ts'
import type { ClientRequest, Handler } from '../handler.ts'
import type { Log } from '../log.ts'
import { valuesOf } from '../raw-headers.ts'
import { soonAnswered } from '../soon-answered.ts'
import { type Admitted, admit } from './admission.ts'
import type { ConnectorClients } from './clients.ts'
import { Relay } from './relay.ts'
import type { ConnectorTable } from './table.ts'
import type { TokenCheck } from './token-check.ts'

export interface ConnectorHandlerOptions {
  readonly check: TokenCheck
  readonly table: () => ConnectorTable
  readonly clients: ConnectorClients
  /** Counts what the connector answers itself. */
  readonly errors: Record<OriginError, number>
  readonly log: Log
}

/** Sends each request to the endpoint that its token names. Everything that is not signed gets the same 403, whatever its path:
 *  a health check has no place here, and can count that 403 as life. */
export function createConnectorHandler({ check, table, clients, errors, log }: ConnectorHandlerOptions): Handler {
  return (request, sink) => {
    const admission = admit(request, check, table())
    if (!('error' in admission)) return relay(request, admission, sink)
    const { error, why } = admission
    log('request-refused', { error, why })
    return soonAnswered(() => answer(error, sink))
  }

  function relay(request: ClientRequest, admission: Admitted, sink: ResponseSink): Exchange {
    const client = clients.of(admission.clientCertificate)[admission.protocol]
    const endpoint = endpointKey(admission.origin.endpoint) ?? ''
    const open = (head: RequestHead, inner: ResponseSink): Exchange => client.open(admission.origin, head, inner)
    const isGrpc = admission.protocol === 'http2' && isGrpcWebRequest(admission.request)
    const send = (inner: ResponseSink): Exchange =>
      isGrpc ? asGrpc(admission.request, inner, open) : open(admission.request, inner)
    return new Relay(send, sink, {
      timeout: admission.timeout,
      hasLength: valuesOf(request.headers, 'content-length').length > 0,
      failed: ({ kind, message }) => {
        const error = errorOf(kind)
        log('origin-failed', { endpoint, error, message })
        answer(error, sink)
      },
      broken: ({ kind, message }) => log('response-broken', { endpoint, error: errorOf(kind), message }),
    })
  }

  function answer(error: OriginError, sink: ResponseSink): void {
    errors[error]++
    sink.head(statusOf[error], '', [errorHeader, error, 'Content-Length', '0'])
    sink.end([])
  }
}

function errorOf(kind: ExchangeError['kind']): OriginError {
  if (kind === 'invalid-request') return 'bad-request'
  return kind === 'unprocessed' ? 'connection-lost' : kind
}

const statusOf: Readonly<Record<OriginError, number>> = {
  refused: 403,
  'bad-request': 400,
  overloaded: 503,
  'connect-failed': 502,
  'tls-failed': 502,
  'connection-lost': 502,
  'invalid-response': 502,
  timeout: 504,
}
