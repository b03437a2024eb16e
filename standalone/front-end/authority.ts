const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'

/** An authority in which the URL Standard changes nothing but case and default port: labels of which the last is no number,
 *  or an IPv4 address. */
const plain = new RegExp(
  `^(?:(?:(?!xn--)[a-z0-9-]+\\.)*(?!xn--)[a-z][a-z0-9-]*|(?:${octet}\\.){3}${octet})(?::(?:0|[1-9][0-9]{0,3}|[1-5][0-9]{4}))?$`,
  'i',
)

/** Whether Host or :authority names one host, and perhaps a port, beyond doubt: a URL with it has the same in it. The Worker
 *  asks that too. RFC 9110 section 4.2.1 wants no empty host, section 4.2.4 no user. */
export const isAuthority = (text: string): boolean =>
  plain.test(text) || (sober.test(text) && isParsed(text.toLowerCase()))

/** RFC 3986 would also take "!$&'()*+,;=~" and escapes. No DNS name has them, and a comma is what two Hosts are joined by. */
const sober = /^[\w.:[\]-]+$/

function isParsed(text: string): boolean {
  const host = URL.parse(`http://${text}/`)?.host
  return host !== undefined && (host === text || `${host}:80` === text)
}
