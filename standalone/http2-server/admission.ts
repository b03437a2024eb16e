import { asterisk, isContinue, type Refusal, refused, type Understood, understoodOf } from '../front-end/admission.ts'
import { isAuthority } from '../front-end/authority.ts'
import { type Arrival, FrontEndRequest } from '../front-end/request.ts'
import { type RawHeaders, without } from '../raw-headers.ts'
import { readTarget } from '../target.ts'
import type { Http2Fields } from './fields.ts'

/** A request whose head node:http2 has read, if it can be understood in one way only. `webSocketKey` is for the origin of a
 *  WebSocket, which may speak HTTP/1.1: its client sends none. */
export function admit(
  fields: Http2Fields,
  received: RawHeaders,
  hasBody: boolean,
  webSocketKey: string,
  targetLength: number,
  arrival: Arrival,
): FrontEndRequest | Refusal {
  const { method, path, scheme, protocol } = fields
  const isTunnel = method === 'CONNECT'
  // RFC 8441 section 5; what else CONNECT asks for is a tunnel to anywhere.
  if (isTunnel && protocol !== 'websocket') return { status: 501, fault: `CONNECT, ${protocol ?? 'no protocol'}` }
  // TLS may have ended in front, so that it need not be the connection's.
  if (scheme !== 'http' && scheme !== 'https') return refused(`scheme: ${scheme}`)
  const authority = authorityOf(fields)
  if (authority === undefined) return refused(`authority: ${fields.authority}, Host: ${fields.host}`)
  if (!isAuthority(authority)) return refused(`authority: ${authority}`)
  if (path.length > targetLength) return { status: 414, fault: `a target of ${path.length} bytes` }
  const target = path === '*' && method === 'OPTIONS' ? asterisk : readTarget(path)
  if (target === undefined) return refused(`target: ${path}`)
  if (fields.expect !== undefined && !isContinue(fields.expect))
    return { status: 417, fault: `Expect: ${fields.expect}` }
  return new FrontEndRequest(arrival, {
    method: isTunnel ? 'GET' : method,
    authority,
    target,
    received,
    endToEnd: isTunnel ? withKey(fields.endToEnd, webSocketKey) : fields.endToEnd,
    hasBody: hasBody && !isTunnel,
    upgrade: isTunnel ? 'websocket' : undefined,
  })
}

export const understood = (fields: Http2Fields, targetLength: number): Understood =>
  understoodOf(fields.method, authorityOf(fields), fields.path, targetLength)

/** RFC 9113 section 8.3.1: Host must not name another than :authority, and may stand for it. */
function authorityOf({ authority, host }: Http2Fields): string | undefined {
  if (authority === undefined || host === undefined) return authority ?? host
  return host.toLowerCase() === authority.toLowerCase() ? authority : undefined
}

const withKey = (lines: RawHeaders, webSocketKey: string): RawHeaders => [
  ...without(lines, 'sec-websocket-key'),
  ...['sec-websocket-key', webSocketKey],
]
