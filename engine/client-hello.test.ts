import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createServer } from 'node:tls'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { issue } from '../test/certificates.ts'
import { ClientHelloReader, type HelloVerdict, longestHello } from './client-hello.ts'

const corpus = join(import.meta.dirname, '../test/corpus/client-hello')
const expected: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(corpus, 'hellos.json'), 'utf8'))
const real = Object.entries(expected).map(
  ([name, hello]) => [name, readFileSync(join(corpus, `${name}.bin`)), hello] as const,
)

/** What a reader says that is given more and more of `bytes`, and after how many bytes. */
function readInPieces(bytes: Uint8Array, ends: Iterable<number>): readonly [HelloVerdict | undefined, number] {
  const reader = new ClientHelloReader()
  for (const end of [...ends, bytes.length]) {
    const verdict = reader.read(bytes.subarray(0, end))
    if (verdict !== undefined) return [verdict, end]
  }
  return [undefined, bytes.length]
}

const readWhole = (bytes: Uint8Array): HelloVerdict | undefined => readInPieces(bytes, [])[0]

const u16 = (value: number): number[] => [value >> 8, value & 0xff]
const vector8 = (bytes: readonly number[]): number[] => [bytes.length, ...bytes]
const vector16 = (bytes: readonly number[]): number[] => [...u16(bytes.length), ...bytes]
const text = (value: string): number[] => [...Buffer.from(value, 'latin1')]
const extension = (type: number, data: readonly number[]): number[] => [...u16(type), ...vector16(data)]
const serverName = (name: string): number[] => extension(0, vector16([0, ...vector16(text(name))]))
const protocols = (...names: readonly string[]): number[] =>
  extension(16, vector16(names.flatMap((name) => vector8(text(name)))))
const versions = (...list: readonly number[]): number[] => extension(43, vector8(list.flatMap(u16)))

interface Parts {
  readonly session: readonly number[]
  readonly ciphers: readonly number[]
  readonly compressions: readonly number[]
  /** undefined: not even the list's length. */
  readonly extensions: readonly number[] | undefined
  readonly behind: readonly number[]
}

function message(changes: Partial<Parts> = {}): Buffer {
  const { session, ciphers, compressions, extensions, behind }: Parts = {
    session: [],
    ciphers: [0x13, 0x01],
    compressions: [0],
    extensions: serverName('a.example'),
    behind: [],
    ...changes,
  }
  const body = [
    ...[3, 3, ...new Array<number>(32).fill(7), ...vector8(session), ...vector16(ciphers), ...vector8(compressions)],
    ...(extensions === undefined ? [] : vector16(extensions)),
    ...behind,
  ]
  return Buffer.from([1, 0, ...u16(body.length), ...body])
}

const record = (piece: Uint8Array, type = 22, version = 1): Buffer =>
  Buffer.from([type, 3, version, ...u16(piece.length), ...piece])

function inRecords(whole: Uint8Array, lengths: readonly number[]): Buffer {
  const records: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    if (at + length >= whole.length) break
    records.push(record(whole.subarray(at, at + length)))
    at += length
  }
  return Buffer.concat([...records, record(whole.subarray(at))])
}

const nameOf = (name: string): string | undefined => {
  const verdict = readWhole(record(message({ extensions: serverName(name) })))
  return verdict?.type === 'hello' ? verdict.hello.serverName : undefined
}

test('the corpus has hellos', () => {
  expect(real.length).toBeGreaterThan(5)
})

test.for(real)('%s is read as it is, whole or in pieces of one byte', ([, bytes, hello]) => {
  expect(readWhole(bytes)).toEqual({ type: 'hello', hello })
  expect(readInPieces(bytes, bytes.keys())).toEqual([{ type: 'hello', hello }, bytes.length])
})

test.for(real)('%s is read wherever it is split in two', ([, bytes, hello]) => {
  for (let at = 1; at < bytes.length; at++)
    expect(readInPieces(bytes, [at])).toEqual([{ type: 'hello', hello }, bytes.length])
})

test.for<[string, string, string | undefined]>([
  ['upper case is lowered', 'WWW.Example.COM', 'www.example.com'],
  ['the dot of the root is left out', 'www.example.com.', 'www.example.com'],
  ['an underscore is a letter', '_a.example', '_a.example'],
  ['an IPv4 address is no name', '192.0.2.1', ''],
  ['nor with a dot behind it', '192.0.2.1.', ''],
  ['an IPv6 address is no name', '2001:db8::1', ''],
  ['one label is a name', 'localhost', 'localhost'],
  ['a label may have 63 letters', `${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ['and not 64', `${'a'.repeat(64)}.example`, undefined],
  ['a name may have 253 letters', `${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
  ['and not 255', `${'a.'.repeat(127)}a`, undefined],
  ['it is not empty', '', undefined],
  ['nor a dot', '.', undefined],
  ['nor has it an empty label', 'a..example', undefined],
  ['nor does it begin with a dot', '.example', undefined],
  ['nor has it a NUL', 'a.example\0.b.example', undefined],
  ['nor a blank', 'a .example', undefined],
  ['nor an asterisk', '*.example', undefined],
  ['nor letters outside of ASCII', 'ä.example', undefined],
  ['nor a port', 'a.example:443', undefined],
])('server name: %s', ([, name, read]) => {
  expect(nameOf(name)).toBe(read)
})

test.for<[string, Uint8Array, HelloVerdict['type'] | undefined]>([
  ['a hello without extensions is one', record(message({ extensions: undefined })), 'hello'],
  ['a hello may come in records of one byte', inRecords(message(), new Array<number>(999).fill(1)), 'hello'],
  ['something may follow it', Buffer.concat([record(message()), record(Buffer.from('early'), 23)]), 'hello'],
  ['a request in the clear is not TLS', Buffer.from('GET / HTTP/1.1\r\n'), 'not-tls'],
  ['nor is its first byte', Buffer.from('G'), 'not-tls'],
  ['an alert is not the beginning of TLS', record(Buffer.from([2, 40]), 21), 'not-tls'],
  ['a hello of SSL 2 is not TLS', Buffer.from([0x80, 0x2e, 1, 3, 1]), 'not-tls'],
  ['nothing is too little', Buffer.alloc(0), undefined],
  ['a part of the header is too little', Buffer.from([22, 3, 1, 0]), undefined],
  ['a record without content is wrong', record(Buffer.alloc(0)), 'fault'],
  ['a record of more than 16384 bytes is wrong', Buffer.from([22, 3, 1, 0x40, 1]), 'fault'],
  ['another handshake message is wrong', record(Buffer.from([2, 0, 0, 1, 0])), 'fault'],
  ['a hello of more bytes than anyone needs is refused at once', record(Buffer.from([1, 0, 0x40, 1])), 'fault'],
  ['a hello of no bytes is wrong', record(Buffer.from([1, 0, 0, 0])), 'fault'],
  [
    'another record within the hello is wrong',
    Buffer.concat([record(message().subarray(0, 9)), record(Buffer.from([1]), 20)]),
    'fault',
  ],
  ['a session id of 33 bytes is wrong', record(message({ session: new Array<number>(33).fill(1) })), 'fault'],
  ['half a cipher suite is wrong', record(message({ ciphers: [0x13] })), 'fault'],
  ['no cipher suite is wrong', record(message({ ciphers: [] })), 'fault'],
  ['no compression method is wrong', record(message({ compressions: [] })), 'fault'],
  ['bytes behind the extensions are wrong', record(message({ behind: [0] })), 'fault'],
  [
    'two server names are wrong',
    record(message({ extensions: [...serverName('a.example'), ...serverName('b.example')] })),
    'fault',
  ],
  [
    'two names in one list are wrong',
    record(message({ extensions: extension(0, vector16([0, 0, 1, 97, 0, 0, 1, 98])) })),
    'fault',
  ],
  [
    'a server name of an unknown type is wrong',
    record(message({ extensions: extension(0, vector16([1, 0, 1, 97])) })),
    'fault',
  ],
  ['an empty list of names is wrong', record(message({ extensions: extension(0, vector16([])) })), 'fault'],
  ['an empty protocol is wrong', record(message({ extensions: protocols('h2', '') })), 'fault'],
  ['an empty list of protocols is wrong', record(message({ extensions: protocols() })), 'fault'],
  ['half a version is wrong', record(message({ extensions: extension(43, [3, 3, 4, 3]) })), 'fault'],
  ['an empty list of versions is wrong', record(message({ extensions: versions() })), 'fault'],
  ['an extension beyond its list is wrong', record(message({ extensions: [0, 0, 0, 9, 0] })), 'fault'],
])('%s', ([, bytes, type]) => {
  expect(readWhole(bytes)?.type).toBe(type)
  expect(readInPieces(bytes, bytes.keys())[0]?.type).toBe(type)
})

test('a hello as long as may be is read, and one byte more is refused', () => {
  const padded = (length: number): Buffer =>
    inRecords(
      message({ extensions: [...serverName('a.example'), ...extension(21, new Array(length).fill(0))] }),
      [16_000, 16_000],
    )
  const padding =
    longestHello - (message({ extensions: [...serverName('a.example'), ...extension(21, [])] }).length - 4)
  expect(readWhole(padded(padding))?.type).toBe('hello')
  expect(readWhole(padded(padding + 1))?.type).toBe('fault')
})

test('records of one byte do not make a hello of any length', () => {
  const long = message({ extensions: extension(21, new Array<number>(9000).fill(0)) })
  expect(readWhole(inRecords(long, new Array<number>(9999).fill(1)))).toEqual({
    type: 'fault',
    why: 'too many records',
  })
})

const anyHello = fc.record({
  names: fc.option(fc.stringMatching(/^[a-z0-9]{1,9}(\.[a-z0-9]{1,9}){0,3}\.x$/), { nil: undefined }),
  protocols: fc.array(fc.stringMatching(/^[a-z0-9/.]{1,20}$/), { maxLength: 4 }),
  versions: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }),
  others: fc.uniqueArray(
    fc.integer({ min: 0, max: 0xffff }).filter((type) => ![0, 16, 43].includes(type)),
    {
      maxLength: 4,
    },
  ),
})

test('whatever a hello says, in whatever records and pieces it comes, is what is read', () => {
  fc.assert(
    fc.property(
      anyHello,
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 20 }),
      (hello, lengths, cuts) => {
        const extensions = [
          ...hello.others.flatMap((type) => extension(type, [1, 2, 3])),
          ...(hello.names === undefined ? [] : serverName(hello.names)),
          ...(hello.protocols.length === 0 ? [] : protocols(...hello.protocols)),
          ...(hello.versions.length === 0 ? [] : versions(...hello.versions)),
        ]
        const bytes = inRecords(message({ extensions }), lengths)
        const [verdict, at] = readInPieces(
          bytes,
          cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
        )
        expect(at).toBe(bytes.length)
        expect(verdict).toEqual({
          type: 'hello',
          hello: {
            serverName: hello.names ?? '',
            protocols: hello.protocols,
            versions: hello.versions.length === 0 ? [0x0303] : hello.versions,
          },
        })
      },
    ),
    { numRuns: 500 },
  )
})

/** A real hello with a few bytes changed, left out or put in. */
const anyMutation = fc
  .tuple(
    fc.constantFrom(...real.map(([, bytes]) => bytes)),
    fc.array(fc.tuple(fc.nat(2000), fc.nat(255), fc.constantFrom('change', 'insert', 'remove')), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([bytes, changes]) => {
    const mutated = [...bytes]
    for (const [at, byte, how] of changes)
      mutated.splice(at % mutated.length, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]))
    return Buffer.from(mutated)
  })

test('bytes that are almost a hello meet the same verdict in pieces as whole, and never a throw', () => {
  fc.assert(
    fc.property(anyMutation, fc.nat(2000), (bytes, cut) => {
      const whole = readWhole(bytes)
      expect(readInPieces(bytes, [cut % bytes.length])[0]).toEqual(whole)
      expect(readInPieces(bytes, bytes.keys())[0]).toEqual(whole)
    }),
    { numRuns: 500 },
  )
})

test('bytes of any kind meet a verdict or the wish for more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      readWhole(noise)
      readWhole(record(noise))
      readWhole(record(Buffer.concat([Buffer.from([1, 0, 0, noise.length]), noise])))
    }),
    { numRuns: 2000 },
  )
})

/** The server name for which OpenSSL looks for a certificate, or undefined where it refuses the hello before. */
async function openSslServerName(bytes: Buffer): Promise<string | undefined> {
  const { certificate, privateKey } = pair
  let name: string | undefined
  const server = createServer({
    cert: certificate,
    key: privateKey,
    SNICallback: (servername, done) => {
      name = servername
      done(new Error('enough'))
    },
  })
  const stream = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() })
  server.on('tlsClientError', () => stream.destroy())
  stream.on('error', () => {})
  server.emit('connection', stream)
  stream.push(bytes)
  for (let turn = 0; turn < 10 && name === undefined && !stream.destroyed; turn++) await setImmediate()
  stream.destroy()
  return name
}

const pair = issue({ subject: 'fuzz' })

test('OpenSSL sees no other server name than what was read from a hello', async () => {
  let named = 0
  await fc.assert(
    fc.asyncProperty(anyMutation, async (bytes) => {
      const verdict = readWhole(bytes)
      if (verdict?.type !== 'hello') return
      const name = await openSslServerName(bytes)
      if (name === undefined || name === '') return
      named++
      expect(name.toLowerCase().replace(/\.$/, '')).toBe(verdict.hello.serverName)
    }),
    { numRuns: 400 },
  )
  expect(named).toBeGreaterThan(20)
})
