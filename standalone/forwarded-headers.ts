import { forwarded, forwardedFor } from '../engine/forwarded.ts'
import type { ClientRequest } from './handler.ts'
import type { RawHeaders } from './raw-headers.ts'

/** What a client may say of itself only behind a trusted hop. */
const ofClients: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
])
const ofHops: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-for'])

/** The lines that replace what a request says of its way here, and the names that they replace. `trustedHops` as
 *  Settings.trusted_hops. */
export function forwardedHeaders(
  request: ClientRequest,
  trustedHops: number,
): { readonly without: ReadonlySet<string>; readonly lines: RawHeaders } {
  const { scheme, authority } = request
  const peer = request.peer.address
  if (trustedHops === 0) {
    return { without: ofClients, lines: ['X-Forwarded-For', peer, 'X-Forwarded-Proto', scheme] }
  }
  const lines = ['X-Forwarded-For', forwardedFor(request.header('x-forwarded-for') ?? null, peer, trustedHops)]
  const received = request.header('forwarded')
  if (received !== undefined)
    lines.push('Forwarded', forwarded(received, { peer, proto: scheme, host: authority }, trustedHops))
  if (request.header('x-forwarded-proto') === undefined) lines.push('X-Forwarded-Proto', scheme)
  return { without: ofHops, lines }
}
