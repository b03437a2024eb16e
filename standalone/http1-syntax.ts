// What HTTP/1.1 lets stand where: RFC 9110 sections 5.5 and 5.6.2.

/** By byte: bits of `Octet`. */
export const octets = new Uint8Array(256)

export const Octet = {
  /** In a method, a field name or a coding's name. */
  token: 1,
  /** In a field value or a reason phrase: VCHAR, SP, HTAB and obs-text. */
  text: 2,
} as const

for (let byte = 0; byte < 256; byte++) {
  if (byte === 0x09 || (byte >= 0x20 && byte !== 0x7f)) octets[byte] = Octet.text
  if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte))) octets[byte] = Octet.token | Octet.text
}

/** One or more characters that may stand in a name. */
export const isToken = (text: string): boolean => text !== '' && isAll(text, Octet.token)

/** Characters that may stand in a value, none among them that is no byte: Latin-1 would write U+010A as a line feed. */
export const isText = (text: string): boolean => isAll(text, Octet.text)

function isAll(text: string, bit: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0xff || ((octets[code] ?? 0) & bit) === 0) return false
  }
  return true
}
