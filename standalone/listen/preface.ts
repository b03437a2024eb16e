/** RFC 9113 section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Which HTTP a connection in the clear begins with. undefined: more bytes are needed to tell. */
export function httpVersion(bytes: Buffer): 'HTTP/1.1' | 'HTTP/2' | undefined {
  const length = Math.min(bytes.length, preface.length)
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return 'HTTP/1.1'
  return length === preface.length ? 'HTTP/2' : undefined
}
