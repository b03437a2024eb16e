import { asterisk, type Refusal, refused, type Understood, understoodOf } from '../front-end/admission.ts'
import { isAuthority } from '../front-end/authority.ts'
import { type Arrival, FrontEndRequest } from '../front-end/request.ts'
import { readTarget, type Target } from '../target.ts'
import type { Http1Message } from './message.ts'

/** A request that node:http has read, if it can be understood in one way only: where it ends, and what it is for.
 *  RFC 9112 sections 3.2 and 6. Two lengths, a length beside a coding, bare line feeds and folded lines node:http refuses. */
export function admit(
  message: Http1Message,
  upgrade: 'websocket' | undefined,
  targetLength: number,
  arrival: Arrival,
): FrontEndRequest | Refusal {
  const { fields, httpVersionMajor, httpVersionMinor, url = '' } = message
  const { coding, codings, host, length } = fields
  if (httpVersionMajor !== 1) return { status: 505, fault: `HTTP/${message.httpVersion}` }
  if (codings > 0) {
    if (httpVersionMinor === 0) return refused('Transfer-Encoding in HTTP/1.0')
    if (codings > 1 || coding.toLowerCase() !== 'chunked') return refused(`Transfer-Encoding: ${coding}`)
  }
  if (fields.hosts !== 1) return refused(`${fields.hosts} Hosts`)
  if (!isAuthority(host)) return refused(`Host: ${host}`)
  if (url.length > targetLength) return { status: 414, fault: `a target of ${url.length} bytes` }
  const target = targetOf(message, host)
  if (target === undefined) return refused(`target: ${url}`)
  if (fields.expect !== undefined && httpVersionMinor === 1 && !message.expectsContinue)
    return { status: 417, fault: `Expect: ${fields.expect}` }
  return new FrontEndRequest(arrival, {
    method: message.method ?? '',
    authority: host,
    target,
    received: message.rawHeaders,
    endToEnd: fields.endToEnd,
    hasBody: codings > 0 || (length !== undefined && Number(length) > 0),
    upgrade,
  })
}

export const understood = (
  { fields: { hosts, host }, method, url = '' }: Http1Message,
  targetLength: number,
): Understood => understoodOf(method, hosts === 1 ? host : undefined, url, targetLength)

function targetOf({ method, url = '' }: Http1Message, host: string): Target | undefined {
  if (url.charCodeAt(0) === slash) return readTarget(url)
  return url === '*' && method === 'OPTIONS' ? asterisk : readTarget(pathOfAbsolute(url, host) ?? '')
}

const slash = 0x2f

/**
 * The origin-form of an absolute target. A server must accept it, and believe it rather than Host (RFC 9112 section 3.2.2);
 * a client must send both alike (section 3.2). Where they differ, a proxy in front may have believed the other, so only
 * equal ones will do. The scheme is not looked at: TLS may have ended in front.
 */
function pathOfAbsolute(url: string, host: string): string | undefined {
  const [, authority, path = ''] = /^https?:\/\/([^/?#\\]*)((?:[/?].*)?)$/is.exec(url) ?? []
  if (authority?.toLowerCase() !== host.toLowerCase()) return undefined
  return path.startsWith('/') ? path : `/${path}`
}
