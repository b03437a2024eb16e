import {
  hostHeader,
  type OriginError,
  type OriginProtocol,
  originHeader,
  timeoutHeader,
} from '../../engine/origin-token.ts'
import { parseEndpointKey } from '../../engine/origin-token-address.ts'
import type { RequestHead } from '../exchange.ts'
import type { ClientRequest } from '../handler.ts'
import type { Origin } from '../origin-client.ts'
import { endToEnd } from '../raw-headers.ts'
import type { ConnectorTable, OriginTls } from './table.ts'
import type { TokenCheck } from './token-check.ts'

export interface Admitted {
  readonly protocol: OriginProtocol
  readonly origin: Origin
  /** As Settings.client_certificate; "": none. */
  readonly clientCertificate: string
  readonly request: RequestHead
  /** Milliseconds. */
  readonly timeout: number | undefined
}

export interface Refusal {
  readonly error: OriginError
  /** For the log only. */
  readonly why: string
}

/** Whether a request that reached the connector may go on, and what then goes to the origin. */
export function admit(request: ClientRequest, check: TokenCheck, table: ConnectorTable): Admitted | Refusal {
  const token = check(request.header(originHeader) ?? '')
  if (token === undefined) return { error: 'refused', why: 'no token that is valid now' }
  if (!table.endpoints.has(token.endpoint)) return { error: 'refused', why: `${token.endpoint} is not in the table` }
  const tls = token.tls === '' ? inClear : table.tls.get(token.tls)
  if (tls === undefined) return { error: 'refused', why: `${token.tls} is no TLS in the table` }

  const endpoint = parseEndpointKey(token.endpoint)
  const host = request.header(hostHeader) ?? ''
  const timeout = request.header(timeoutHeader) ?? ''
  if (endpoint === undefined || !authority.test(host) || !milliseconds.test(timeout))
    return { error: 'bad-request', why: `${hostHeader} or ${timeoutHeader}` }
  const { method, target, headers, hasBody, upgrade } = request
  return {
    // HTTP/2 has upgrades of its own, which few servers take.
    protocol: upgrade === undefined ? token.protocol : 'http1',
    origin: { endpoint, tls: tls.policy },
    clientCertificate: tls.clientCertificate,
    request: { method, target, authority: host, headers: endToEnd(headers), hasBody, upgrade },
    timeout: timeout === '' ? undefined : Number(timeout),
  }
}

const inClear: Omit<OriginTls, 'policy'> & { readonly policy: undefined } = { policy: undefined, clientCertificate: '' }

/** RFC 3986 section 3.2.2, host and port, without looking closer: it is sent as the client sent it. A comma joins two lines. */
const authority = /^[A-Za-z0-9\-._~!$&'()*+;=%:[\]]{1,260}$/
const milliseconds = /^[0-9]{0,8}$/
