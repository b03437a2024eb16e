/** What the proxies in front of a request say of its client, and what goes upstream about it. */

/**
 * X-Forwarded-For to send upstream. Each of `trustedHops` proxies in front appended one address, so that many from the
 * right are believed; whatever stands before them came from the client and is dropped.
 */
export function forwardedFor(received: string | null, peer: string, trustedHops: number): string {
  const believed = lastOf(received, trustedHops)
  return believed.length === 0 ? peer : `${believed.join(', ')}, ${peer}`
}

/** Forwarded (RFC 7239 section 4) to send upstream: the elements of the trusted hops, then this one. */
export function forwarded(
  received: string | null,
  hop: { readonly peer: string; readonly proto: string; readonly host: string },
  trustedHops: number,
): string {
  const node = hop.peer.includes(':') ? `"[${hop.peer}]"` : hop.peer
  const own = `for=${node};proto=${hop.proto};host=${quoted(hop.host)}`
  return [...lastOf(received, trustedHops), own].join(', ')
}

function lastOf(received: string | null, count: number): string[] {
  if (received === null || count === 0) return []
  return received
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .slice(-count)
}

// RFC 7239 section 4: a value that is not a token, such as a host with a port, stands in quotes.
const quoted = (value: string): string => {
  for (const char of value)
    if (!tokenChars.has(char)) return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  return value
}
const tokenChars = new Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

/**
 * Joins two Cookie lines that an HTTP stack has joined with ", " as RFC 6265 section 5.4 wants it. A comma inside a
 * cookie's value is followed by no "name=" and stays.
 */
export function joinCookies(value: string): string {
  let from = value.indexOf(', ')
  if (from === -1) return value
  let joined = ''
  let kept = 0
  for (; from !== -1; from = value.indexOf(', ', from + 2)) {
    let end = from + 2
    while (end < value.length && tokenChars.has(value.charAt(end))) end++
    if (end === from + 2 || value.charAt(end) !== '=') continue
    joined += `${value.slice(kept, from)}; `
    kept = from + 2
  }
  return joined + value.slice(kept)
}
