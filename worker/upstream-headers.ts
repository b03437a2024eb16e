import type { Forward } from '../engine/decision.ts'
import type { RequestFacts } from '../engine/facts.ts'
import { forwarded, forwardedFor, joinCookies } from '../engine/forwarded.ts'
import { timeoutHeader } from '../engine/origin-token.ts'
import { Origin } from '../proto/gen/route_table.ts'
import { editHeaders } from './respond.ts'

/**
 * RFC 9110 section 7.6.1, what concerns only the hop to this Worker, and what a client may not say to the connector; what
 * Landfall says to it itself, worker/origin.ts sets or deletes.
 * Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, and Upgrade but for WebSocket, are the runtime's own: fetch()
 * sends none that it is given.
 */
const notForwarded = ['expect', timeoutHeader]
/** The same, but the connector drops them itself, at no cost: standalone/raw-headers.ts. */
const notPastConnector = ['proxy-connection', 'proxy-authorization']

/** Who is at the other end of the connection, as far as the platform says. */
export function peerOf(request: Request): string {
  // On one's own workerd the address of the connection is in `cf`, with its port; Cloudflare's edge overwrites the header.
  const local = request.cf?.clientIp
  if (typeof local !== 'string') return request.headers.get('cf-connecting-ip') ?? 'unknown'
  const address = local.slice(0, local.lastIndexOf(':'))
  return address.startsWith('[') ? address.slice(1, -1) : address
}

/**
 * Turns a copy of the client's headers into what goes upstream: nothing that the client wrote about the hop or about
 * itself is left, and then the route's own edits are made.
 */
export function upstreamHeaders(
  headers: Headers,
  peer: string,
  { scheme, authority }: Pick<RequestFacts, 'scheme' | 'authority'>,
  { backend, mirrors, requestHeaders }: Pick<Forward, 'backend' | 'mirrors' | 'requestHeaders'>,
  trustedHops: number,
): void {
  const connection = headers.get('connection')
  if (connection !== null) for (const name of connection.split(',')) deleteNamed(headers, name.trim())
  for (const name of notForwarded) headers.delete(name)
  if (backend.origin !== Origin.CONNECTOR || mirrors.length > 0)
    for (const name of notPastConnector) headers.delete(name)

  const cookie = headers.get('cookie')
  if (cookie?.includes(', ') === true) headers.set('cookie', joinCookies(cookie))

  if (trustedHops === 0) {
    headers.set('x-forwarded-for', peer)
    headers.delete('forwarded')
    headers.delete('x-forwarded-port')
    headers.delete('x-forwarded-host')
    headers.set('x-forwarded-proto', scheme)
  } else {
    headers.set('x-forwarded-for', forwardedFor(headers.get('x-forwarded-for'), peer, trustedHops))
    const received = headers.get('forwarded')
    if (received !== null)
      headers.set('forwarded', forwarded(received, { peer, proto: scheme, host: authority }, trustedHops))
    if (!headers.has('x-forwarded-proto')) headers.set('x-forwarded-proto', scheme)
  }
  editHeaders(headers, requestHeaders)
}

/** A Connection header may name what it likes, but not take away what routing and the origin rely on. */
function deleteNamed(headers: Headers, name: string): void {
  const lower = name.toLowerCase()
  if (lower === '' || lower === 'upgrade' || lower === 'host' || lower.startsWith('x-forwarded-')) return
  try {
    headers.delete(lower)
  } catch {
    // Not a header name: there is nothing to delete.
  }
}
