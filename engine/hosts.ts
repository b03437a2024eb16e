/** The longest name that DNS can carry. RFC 1035 section 2.3.4. */
const LONGEST_HOSTNAME = 253

/** Hostname of an authority as a table writes it: in lower case, without port and without the root's trailing dot. What is
 *  longer than any DNS name becomes "", which only a listener and a Host for every hostname take. */
export function hostnameOf(authority: string): string {
  let end = authority.length
  const colon = authority.lastIndexOf(':')
  // A colon inside the brackets of an IPv6 literal does not begin a port.
  if (colon !== -1 && authority.charCodeAt(end - 1) !== CLOSING_BRACKET) end = colon
  if (end > 0 && authority.charCodeAt(end - 1) === DOT) end--
  if (end > LONGEST_HOSTNAME) return ''
  const hostname = end === authority.length ? authority : authority.slice(0, end)
  for (let i = 0; i < end; i++) {
    const code = hostname.charCodeAt(i)
    // Not toLowerCase on the whole: it turns the Kelvin sign into a "k".
    if (code >= UPPER_A && code <= UPPER_Z) return hostname.replace(/[A-Z]+/g, (run) => run.toLowerCase())
  }
  return hostname
}

const CLOSING_BRACKET = 0x5d
const DOT = 0x2e
const UPPER_A = 0x41
const UPPER_Z = 0x5a

/** The next less specific hostname of a table: a.b.c, then *.b.c, then *.c, then "". */
export function wider(hostname: string): string {
  const dot = hostname.indexOf('.', hostname.startsWith('*.') ? 2 : 0)
  return dot === -1 ? '' : `*${hostname.slice(dot)}`
}

/** Whether a table's hostname takes a request's: "" takes all, "*.b.c" any number of labels before ".b.c". */
export function covers(pattern: string, hostname: string): boolean {
  if (pattern === '') return true
  if (!pattern.startsWith('*.')) return pattern === hostname
  return hostname.length > pattern.length - 1 && hostname.endsWith(pattern.slice(1))
}
