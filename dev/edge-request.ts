import type { RequestHead } from '../standalone/exchange.ts'
import type { ClientRequest } from '../standalone/handler.ts'
import { endToEnd } from '../standalone/raw-headers.ts'
import { cfOf } from './edge-cf.ts'
import { cfHeader, protoHeader } from './workerd-config.ts'

/** What Cloudflare's edge says itself, whatever a client has written. developers.cloudflare.com, "Cloudflare HTTP headers". */
const ofTheEdge: ReadonlySet<string> = new Set(['cf-connecting-ip', 'cf-visitor'])

/** A client's request as it goes to the Worker: as it came, but for what the edge knows of the client's connection. Names that
 *  begin with "landfall-" no front end lets in. `now` in milliseconds since the epoch. */
export function workerdHead(request: ClientRequest, now: number): RequestHead {
  const { method, target, authority, hasBody, upgrade, scheme, peer } = request
  const headers = [
    ...endToEnd(request.headers, ofTheEdge),
    ...['CF-Connecting-IP', peer.address],
    ...['CF-Visitor', JSON.stringify({ scheme })],
    ...[protoHeader, scheme],
    ...[cfHeader, ascii(JSON.stringify(cfOf(request, now)))],
  ]
  return { method, target, authority, headers, hasBody, upgrade }
}

/** JSON for a header line: what is not ASCII is escaped. */
const ascii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
