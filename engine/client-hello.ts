// The first message of a TLS client, read without a handshake: RFC 8446 section 4.1.2, in records by section 5.1.
//
//   record      content type (1) = 22 | version (2) = 03 xx | length (2) | a piece of a handshake message
//   handshake   type (1) = 1 | length (3) | ClientHello
//   ClientHello version (2) | random (32) | session id <0..32> | cipher suites <2..2^16-2> | compressions <1..2^8-1> |
//               extensions <0..2^16-1>: type (2) | data <0..2^16-1>

export interface ClientHello {
  /** RFC 6066 section 3: in lower case and without the root's dot; "" when there is none, or an IP address. */
  readonly serverName: string
  /** ALPN, RFC 7301 section 3.1, in Latin-1. */
  readonly protocols: readonly string[]
  /** 0x0304 is TLS 1.3: what supported_versions says, or else the one version that the hello names. */
  readonly versions: readonly number[]
}

export type HelloVerdict =
  | { readonly type: 'hello'; readonly hello: ClientHello }
  | { readonly type: 'not-tls' }
  | { readonly type: 'fault'; readonly why: string }

/** Bytes. Browsers send up to 2,000, mostly keys and tickets; a ticket may hold a client's certificate. */
export const longestHello = 16_384

/** Bytes of all records that the hello is in: one in records of one byte has six times its own length. */
const longestFlight = 32_768

const recordHeader = 5
const handshakeHeader = 4
/** RFC 8446 section 5.1. */
const longestRecord = 16_384
const handshakeRecord = 22
const clientHello = 1
const majorVersion = 3

/** Reads one connection's ClientHello, in whatever pieces it comes. */
export class ClientHelloReader {
  /** Where the next record begins. */
  #at = 0
  /** Bytes of the handshake message in the records before. */
  #received = 0
  #wanted = handshakeHeader

  /** `bytes` is everything since the connection began, and grows from call to call. undefined: more is needed. */
  read(bytes: Uint8Array): HelloVerdict | undefined {
    try {
      return this.#read(bytes)
    } catch (error) {
      if (error instanceof HelloFault) return { type: 'fault', why: error.message }
      throw error
    }
  }

  #read(bytes: Uint8Array): HelloVerdict | undefined {
    for (;;) {
      const [type = handshakeRecord, version = majorVersion, , high, low] = bytes.subarray(this.#at)
      if (type !== handshakeRecord || version !== majorVersion) {
        if (this.#at === 0) return { type: 'not-tls' }
        throw new HelloFault('another record within the hello')
      }
      if (high === undefined || low === undefined) return undefined
      const length = high * 256 + low
      if (length === 0 || length > longestRecord) throw new HelloFault(`a record of ${length} bytes`)
      const end = this.#at + recordHeader + length
      if (end > longestFlight) throw new HelloFault('too many records')
      if (bytes.length < end) return undefined
      this.#at = end
      this.#received += length
      if (this.#received >= handshakeHeader && this.#wanted === handshakeHeader) this.#wanted += this.#length(bytes)
      if (this.#received >= this.#wanted && this.#wanted > handshakeHeader)
        return { type: 'hello', hello: readHello(this.#message(bytes).subarray(handshakeHeader, this.#wanted)) }
    }
  }

  #length(bytes: Uint8Array): number {
    const header = new Cursor(this.#message(bytes))
    const type = header.u8()
    if (type !== clientHello) throw new HelloFault(`handshake message ${type}`)
    const length = header.u8() * 65_536 + header.u16()
    if (length === 0 || length > longestHello) throw new HelloFault(`a hello of ${length} bytes`)
    return length
  }

  #message(bytes: Uint8Array): Uint8Array {
    const message = new Uint8Array(this.#received)
    let length = 0
    for (const records = new Cursor(bytes.subarray(0, this.#at)); records.remaining > 0; ) {
      records.skip(recordHeader - 2)
      const piece = records.vector16()
      message.set(piece, length)
      length += piece.length
    }
    return message
  }
}

/** A client that speaks TLS wrong, or more of it than anyone needs. */
class HelloFault extends Error {
  override readonly name = 'HelloFault'
}

class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get remaining(): number {
    return this.#bytes.length - this.#at
  }
  u8(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new HelloFault('a length beyond the end')
    this.#at++
    return byte
  }
  u16(): number {
    return this.u8() * 256 + this.u8()
  }
  vector8(): Uint8Array {
    return this.take(this.u8())
  }
  vector16(): Uint8Array {
    return this.take(this.u16())
  }
  skip(length: number): void {
    this.take(length)
  }
  take(length: number): Uint8Array {
    if (length > this.remaining) throw new HelloFault('a length beyond the end')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
  end(): void {
    if (this.remaining > 0) throw new HelloFault('bytes behind the end')
  }
}

/** RFC 6066 section 3, RFC 7301 section 6, RFC 8446 section 4.2.1. */
const Extension = { serverName: 0, protocols: 16, versions: 43 } as const

function readHello(message: Uint8Array): ClientHello {
  const body = new Cursor(message)
  const version = body.u16()
  body.skip(32)
  if (body.vector8().length > 32) throw new HelloFault('a session id above 32 bytes')
  const ciphers = body.vector16().length
  if (ciphers === 0 || ciphers % 2 !== 0) throw new HelloFault('malformed cipher suites')
  if (body.vector8().length === 0) throw new HelloFault('no compression methods')

  let serverName = ''
  let protocols: readonly string[] = []
  let versions: readonly number[] = [version]
  if (body.remaining > 0) {
    const seen = new Set<number>()
    for (const extensions = new Cursor(body.vector16()); extensions.remaining > 0; ) {
      const type = extensions.u16()
      const data = extensions.vector16()
      // RFC 8446 section 4.2: at most one of each type. Two server names would be a choice of listener for whoever reads on.
      if (seen.has(type)) throw new HelloFault(`extension ${type} twice`)
      seen.add(type)
      if (type === Extension.serverName) serverName = readServerName(data)
      else if (type === Extension.protocols) protocols = readProtocols(data)
      else if (type === Extension.versions) versions = readVersions(data)
    }
    body.end()
  }
  return { serverName, protocols, versions }
}

/** A list, of which names of the type host_name (0) are all that there is, and there may be one. RFC 6066 section 3. */
function readServerName(data: Uint8Array): string {
  const extension = new Cursor(data)
  const list = new Cursor(extension.vector16())
  extension.end()
  if (list.u8() !== 0) throw new HelloFault('a server name of another type')
  const name = latin1(list.vector16()).toLowerCase()
  list.end()
  const hostname = name.endsWith('.') ? name.slice(0, -1) : name
  if (isAddress(hostname)) return ''
  if (hostname.length > 253 || !/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(hostname))
    throw new HelloFault('a server name that is no host name')
  return hostname
}

/** What stands in a place for names is an address when only an address could be written so. */
const isAddress = (name: string): boolean => /^\d+(\.\d+){3}$|^[\da-f:.]*:[\da-f.]*:[\da-f:.]*$/.test(name)

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

function readProtocols(data: Uint8Array): string[] {
  const extension = new Cursor(data)
  const list = new Cursor(extension.vector16())
  extension.end()
  const protocols: string[] = []
  do {
    const name = list.vector8()
    if (name.length === 0) throw new HelloFault('an empty protocol name')
    protocols.push(latin1(name))
  } while (list.remaining > 0)
  return protocols
}

function readVersions(data: Uint8Array): number[] {
  const extension = new Cursor(data)
  const list = new Cursor(extension.vector8())
  extension.end()
  const versions: number[] = []
  do versions.push(list.u16())
  while (list.remaining > 0)
  return versions
}
