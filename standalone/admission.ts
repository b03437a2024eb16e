import type { IncomingMessage } from 'node:http'
import {
  hostHeader,
  type OriginError,
  type OriginProtocol,
  originHeader,
  timeoutHeader,
} from '../engine/origin-token.ts'
import { parseEndpointKey } from '../engine/origin-token-address.ts'
import { endToEnd, valuesOf } from './raw-headers.ts'
import type { TokenCheck } from './token-check.ts'
import type { UpstreamRequest } from './upstream.ts'

export interface Admitted {
  readonly protocol: OriginProtocol
  /** As endpointKey writes it. */
  readonly endpoint: string
  readonly request: UpstreamRequest
  /** Milliseconds. */
  readonly timeout: number | undefined
}

export interface Refusal {
  readonly error: OriginError
  /** For the log only. */
  readonly why: string
}

/** Whether a request that reached the connector may go on, and what then goes upstream. */
export function admit(
  request: IncomingMessage,
  upgrade: 'websocket' | undefined,
  check: TokenCheck,
  isEndpoint: (endpoint: string) => boolean,
): Admitted | Refusal {
  const { headers, rawHeaders, method = '', url: target = '' } = request
  const fault = framingFault(request, upgrade)
  if (fault !== undefined) return { error: 'bad-request', why: fault }

  const token = check(`${headers[originHeader] ?? ''}`)
  if (token === undefined) return { error: 'refused', why: 'no token that is valid now' }
  if (!isEndpoint(token.endpoint)) return { error: 'refused', why: `${token.endpoint} is not in the table` }
  const endpoint = parseEndpointKey(token.endpoint)
  const host = `${headers[hostHeader] ?? ''}`
  const timeout = `${headers[timeoutHeader] ?? ''}`
  if (endpoint === undefined || !authority.test(host) || !milliseconds.test(timeout)) {
    return { error: 'bad-request', why: `${hostHeader} or ${timeoutHeader}` }
  }

  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return {
    protocol: token.protocol,
    endpoint: token.endpoint,
    request: {
      endpoint,
      method,
      target,
      headers: ['Host', host, ...endToEnd(rawHeaders, ofThisHop)],
      body: hasBody ? request : undefined,
      upgrade,
    },
    timeout: timeout === '' ? undefined : Number(timeout),
  }
}

/** What is answered here: Host, which landfall-host replaces, and Expect (RFC 9110 section 10.1.1). */
const ofThisHop: ReadonlySet<string> = new Set(['host', 'expect'])

/** RFC 3986 section 3.2.2, host and port, without looking closer: it is sent as the client sent it. */
const authority = /^[A-Za-z0-9\-._~!$&'()*+,;=%:[\]]{1,260}$/
const milliseconds = /^[0-9]{0,8}$/
/** RFC 9112 section 3.2.1, with characters that URLs ought to escape; a fragment is never part of a request. */
const originForm = /^\/[\x21\x22\x24-\x7e]*$/

/** What leaves a request's end or its target open to a second reading, and node:http lets through. RFC 9112 sections 3.2 and
 *  6.1. */
function framingFault(request: IncomingMessage, upgrade: 'websocket' | undefined): string | undefined {
  const { headers, httpVersion, method, rawHeaders, url = '' } = request
  const coding = headers['transfer-encoding']
  const length = headers['content-length']
  if (httpVersion !== '1.1') return `HTTP/${httpVersion}`
  if (valuesOf(rawHeaders, 'host').length !== 1) return 'not one Host'
  if (!originForm.test(url) && !(url === '*' && method === 'OPTIONS')) return 'not an origin-form target'
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return `Transfer-Encoding: ${coding}`
  if (coding !== undefined && length !== undefined) return 'Transfer-Encoding and Content-Length'
  if (upgrade !== undefined && (coding ?? length ?? '0') !== '0') return 'an upgrade with a body'
  return undefined
}
