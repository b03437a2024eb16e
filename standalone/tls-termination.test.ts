import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ClientHelloReader } from '../engine/client-hello.ts'
import type { Tls } from '../proto/gen/route_table.ts'
import { type Issued, issue } from '../test/certificates.ts'
import { Certificates } from './certificates.ts'
import type { PeerTls } from './handler.ts'
import { Peek } from './listen/peek.ts'
import { TlsTermination, type TlsTerminationOptions } from './tls-termination.ts'

const authority = issue({ subject: 'servers', isAuthority: true })
const serverPair = (name: string, keyType?: 'rsa'): Issued =>
  issue({ subject: name, issuer: authority, names: [`DNS:${name}`], ...(keyType !== undefined && { keyType }) })
const pairs = new Map<string, Issued>([
  ['a', serverPair('a.example')],
  ['a-rsa', serverPair('a.example', 'rsa')],
  ['b', serverPair('b.example')],
  ['wildcard', serverPair('*.wild.example')],
])

const clientsOne = issue({ subject: 'clients one', isAuthority: true })
const clientsTwo = issue({ subject: 'clients two', isAuthority: true })
const clientOne = issue({ subject: 'client', issuer: clientsOne })
const clientTwo = issue({ subject: 'client', issuer: clientsTwo })

const plain = (...certificates: readonly string[]): Tls => ({
  passthrough: false,
  certificates: [...certificates],
  clients: undefined,
})
const validating = (authorities: string, insecureFallback = false): Tls => ({
  ...plain('a', 'b'),
  clients: { authorities, insecureFallback },
})

interface Front {
  readonly port: number
  readonly certificates: Certificates
  readonly termination: TlsTermination
  /** What became of each connection so far. */
  readonly met: (PeerTls | string)[]
}

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** A port that tells its clients "hello" over TLS, with what `tlsFor` says for a server name. */
async function startFront(
  tlsFor: (serverName: string) => Tls,
  changes: Partial<TlsTerminationOptions> = {},
): Promise<Front> {
  const certificates = new Certificates(() => {})
  certificates.set(pairs)
  const options = { certificates, ticketSecret: Buffer.from('secret'), now: Date.now, ...changes }
  const termination = new TlsTermination(options)
  const met: (PeerTls | string)[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const reader = new ClientHelloReader()
    const peek = new Peek(socket)
    const verdict = await peek.until((bytes) => reader.read(bytes))
    if (verdict?.type !== 'hello') return void socket.destroy()
    socket.unshift(peek.take())
    const { serverName } = verdict.hello
    const secured = await termination.secure(socket, serverName, tlsFor(serverName), ['h2', 'http/1.1'])
    if (typeof secured === 'string') return void met.push(secured)
    met.push(secured.tls)
    secured.socket.end(`hello over ${secured.protocol}`)
    secured.socket.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, certificates, termination, met }
}

interface Call {
  readonly text: string
  readonly certificate: DetailedPeerCertificate
  readonly isResumed: boolean
  /** The last ticket, which is good for another call. */
  readonly session: Buffer | undefined
}

/** Connects and reads to the end. Rejects where TLS fails. */
async function call(port: number, serverName: string, options: ConnectionOptions = {}): Promise<Call> {
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    servername: serverName,
    rejectUnauthorized: false,
    ...options,
  })
  let session: Buffer | undefined
  socket.on('session', (bytes) => {
    session = bytes
  })
  let met: Pick<Call, 'certificate' | 'isResumed'> | undefined
  socket.on('secureConnect', () => {
    met = { certificate: socket.getPeerCertificate(true), isResumed: socket.isSessionReused() }
  })
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes
  })
  let failure = new Error('closed without a word')
  socket.on('error', (error) => {
    failure = error
  })
  await new Promise((resolve) => socket.once('close', resolve))
  if (met === undefined || text === '') throw failure
  return { text, ...met, session }
}

const failureOf = (result: Promise<unknown>): Promise<string> =>
  result.then(
    () => 'none',
    (error: Error & { readonly code?: string }) => error.code ?? error.message,
  )

const versions = ['TLSv1.2', 'TLSv1.3'] as const

test('the certificate is the one that names the host, and others may be beside it', async () => {
  const { port } = await startFront(() => plain('b', 'a', 'wildcard'))
  expect((await call(port, 'a.example')).certificate.subject.CN).toBe('a.example')
  expect((await call(port, 'x.wild.example')).certificate.subject.CN).toBe('*.wild.example')
  expect((await call(port, 'other.example')).certificate.subject.CN).toBe('b.example')
  expect((await call(port, '')).certificate.subject.CN).toBe('b.example')
})

test.for(versions)('the type of key is what the client can check, in %s', async (version) => {
  const { port } = await startFront(() => plain('a-rsa', 'a'))
  const only = { minVersion: version, maxVersion: version }
  const rsa = await call(port, 'a.example', { ...only, sigalgs: 'rsa_pss_rsae_sha256:RSA+SHA256' })
  const ecdsa = await call(port, 'a.example', { ...only, sigalgs: 'ECDSA+SHA256' })
  expect(rsa.certificate.bits).toBe(2048)
  expect(ecdsa.certificate.bits).toBe(256)
})

test('ALPN gives what the client offers, and nothing where it offers none', async () => {
  const { port } = await startFront(() => plain('a'))
  expect((await call(port, 'a.example', { ALPNProtocols: ['http/1.1', 'h2'] })).text).toBe('hello over h2')
  expect((await call(port, 'a.example', { ALPNProtocols: ['http/1.1'] })).text).toBe('hello over http/1.1')
  expect((await call(port, 'a.example')).text).toBe('hello over undefined')
})

test('TLS 1.1 and weak ciphers are refused', async () => {
  const { port } = await startFront(() => plain('a-rsa'))
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  expect(await failureOf(call(port, 'a.example', old))).toContain('ALERT_PROTOCOL_VERSION')
  const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-RSA-AES128-SHA' } as const
  expect(await failureOf(call(port, 'a.example', weak))).toContain('HANDSHAKE_FAILURE')
})

test.for(versions)('a session is resumed in %s, and its server name is that of the ClientHello', async (version) => {
  const { port, met } = await startFront(() => plain('a'))
  const only = { minVersion: version, maxVersion: version }
  const { session } = await call(port, 'a.example', only)
  expect((await call(port, 'a.example', { ...only, session })).isResumed).toBe(true)
  // OpenSSL has forgotten it in TLS 1.2.
  expect(met).toMatchObject([{ serverName: 'a.example' }, { serverName: 'a.example' }])
})

test('a session is resumed by another process with the same secret, and by no other', async () => {
  const first = await startFront(() => plain('a'))
  const same = await startFront(() => plain('a'))
  const other = await startFront(() => plain('a'), { ticketSecret: Buffer.from('another') })
  const { session } = await call(first.port, 'a.example')
  expect((await call(same.port, 'a.example', { session })).isResumed).toBe(true)
  expect((await call(other.port, 'a.example', { session })).isResumed).toBe(false)
})

test('the keys of tickets change with the day', async () => {
  let now = 1_000_000_000_000
  const { port } = await startFront(() => plain('a'), { now: () => now })
  const { session } = await call(port, 'a.example')
  expect((await call(port, 'a.example', { session })).isResumed).toBe(true)
  now += 86_400_000
  expect((await call(port, 'a.example', { session })).isResumed).toBe(false)
})

test.for(versions)('clients must show a certificate that the authorities vouch for, in %s', async (version) => {
  const { port, met } = await startFront(() => validating(clientsOne.certificate))
  const only = { minVersion: version, maxVersion: version }
  const show = ({ certificate, privateKey }: Issued) => ({ ...only, cert: certificate, key: privateKey })
  expect((await call(port, 'a.example', show(clientOne))).text).toContain('hello')
  expect(await failureOf(call(port, 'a.example', only))).not.toBe('none')
  expect(await failureOf(call(port, 'a.example', show(clientTwo)))).not.toBe('none')
  await expect.poll(() => met).toHaveLength(3)
  expect(met.slice(1)).toEqual(['handshake-failed', 'handshake-failed'])
  const [first] = met
  const shown = typeof first === 'object' ? first.certificate : undefined
  expect(shown?.verified).toBe(true)
  expect(clientOne.certificate.replaceAll('\n', '')).toContain(shown?.der.toString('base64'))
})

test('several authorities in one PEM all vouch', async () => {
  const { port } = await startFront(() => validating(clientsOne.certificate + clientsTwo.certificate))
  for (const { certificate: cert, privateKey: key } of [clientOne, clientTwo])
    expect((await call(port, 'a.example', { cert, key })).text).toContain('hello')
})

test.for(['', 'nonsense'])('authorities of %j vouch for nobody', async (authorities) => {
  const { port } = await startFront(() => validating(authorities))
  const { certificate: cert, privateKey: key } = clientOne
  expect(await failureOf(call(port, 'a.example', { cert, key }))).not.toBe('none')
  expect(await failureOf(call(port, 'a.example'))).not.toBe('none')
})

test.for(versions)('with a fallback clients are asked, and let in whatever they show, in %s', async (version) => {
  const { port, met } = await startFront(() => validating(clientsOne.certificate, true))
  const only = { minVersion: version, maxVersion: version }
  const verdicts: unknown[] = []
  for (const client of [clientOne, clientTwo, undefined]) {
    const options = { ...only, ...(client && { cert: client.certificate, key: client.privateKey }) }
    const { session } = await call(port, 'a.example', options)
    expect((await call(port, 'a.example', { ...options, session })).isResumed).toBe(true)
  }
  for (const each of met) verdicts.push(typeof each === 'object' && each.certificate?.verified)
  expect(verdicts).toEqual([true, true, false, false, undefined, undefined])
})

test.for(versions)('a ticket of one group of clients is worth nothing in another, in %s', async (version) => {
  const one = validating(clientsOne.certificate)
  const two = validating(clientsTwo.certificate)
  const fallback = validating(clientsTwo.certificate, true)
  let group = one
  // One server name for all of them, as when a listener's settings change: OpenSSL itself does not resume by another name.
  const { port, met } = await startFront(() => group)
  const only = { minVersion: version, maxVersion: version }
  const withOne = { ...only, cert: clientOne.certificate, key: clientOne.privateKey }

  for (const [from, options] of [
    [one, withOne],
    [fallback, withOne],
    [fallback, only],
    [plain('a', 'b'), only],
  ] as const) {
    group = from
    const { session } = await call(port, 'a.example', options)
    expect((await call(port, 'a.example', { ...options, session })).isResumed).toBe(true)
    group = two
    met.splice(0)
    // Refused, whether the client shows the certificate of the other group or none.
    expect(await failureOf(call(port, 'a.example', { ...options, session }))).not.toBe('none')
    expect(await failureOf(call(port, 'a.example', { ...only, session }))).not.toBe('none')
    await expect.poll(() => met).toEqual(['handshake-failed', 'handshake-failed'])
  }
  group = plain('a', 'b')
  const { session } = await call(port, 'a.example', only)
  group = fallback
  expect((await call(port, 'a.example', { ...only, session })).isResumed).toBe(false)
})

test('a certificate that is replaced is shown at once, and connections of the old one go on', async () => {
  const { port, certificates } = await startFront(() => plain('a'))
  const before = await call(port, 'a.example')
  certificates.set(new Map([['a', serverPair('a.example')]]))
  const after = await call(port, 'a.example')
  expect(after.certificate.fingerprint256).not.toBe(before.certificate.fingerprint256)
  certificates.set(new Map())
  expect(await failureOf(call(port, 'a.example'))).toBe('ECONNRESET')
})

test('many more certificates than servers are kept all serve', async () => {
  const many = new Map(Array.from({ length: 12 }, (_, i) => [`${i}`, serverPair(`${i}.example`)]))
  const { port, certificates } = await startFront(() => plain(...many.keys()), { limits: { servers: 3 } })
  certificates.set(many)
  const { session } = await call(port, '0.example')
  for (const i of many.keys()) expect((await call(port, `${i}.example`)).certificate.subject.CN).toBe(`${i}.example`)
  expect((await call(port, '0.example', { session })).isResumed).toBe(true)
})

test('a client that does not go on with its handshake is cut off, even if it sends a byte now and then', async () => {
  const { port, met } = await startFront(() => plain('a'), { limits: { handshakeTimeout: 200 } })
  const slow = connectTcp(port, '127.0.0.1')
  slow.on('error', () => {})
  slow.write(readFileSync(join(import.meta.dirname, '../test/corpus/client-hello/node-tls13.bin')))
  slow.write(Buffer.from([23, 3, 3, 64, 0]))
  const drip = setInterval(() => slow.write('x'), 20)
  slow.resume()
  await once(slow, 'close')
  clearInterval(drip)
  expect(met).toEqual(['handshake-timeout'])
})

test('a client that leaves in its handshake leaves nothing behind', async () => {
  const { port, met } = await startFront(() => plain('a'))
  const hello = readFileSync(join(import.meta.dirname, '../test/corpus/client-hello/node-tls13.bin'))
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const client = connectTcp(port, '127.0.0.1')
    client.on('error', () => {})
    client.write(hello)
    await once(client, 'data')
    client[leave]()
  }
  await expect.poll(() => met).toEqual(['handshake-failed', 'handshake-failed', 'handshake-failed'])
})

describe('openssl s_client', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'landfall-tls-'))
    await writeFile(join(directory, 'ca.pem'), authority.certificate)
    await writeFile(join(directory, 'client.pem'), clientOne.certificate + clientOne.privateKey)
  })
  afterAll(() => rm(directory, { recursive: true }))

  /** What it says, with its session in a file. */
  const client = async (port: number, ...more: readonly string[]): Promise<string> => {
    const session = ['-sess_out', join(directory, 'session')]
    const to = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', join(directory, 'ca.pem'), ...session]
    // Its input stays open: it would go at the end of that.
    const child = execFile('openssl', [...to, ...more])
    let output = ''
    child.stdout?.on('data', (text) => {
      output += text
    })
    await once(child, 'close')
    return output
  }

  test('sees the certificate of the name that it asks for, verified', async () => {
    const { port } = await startFront(() => plain('a', 'b', 'wildcard'))
    const output = await client(
      port,
      '-servername',
      'x.wild.example',
      '-verify_hostname',
      'x.wild.example',
      '-alpn',
      'h2',
    )
    expect(output).toContain('Verify return code: 0 (ok)')
    expect(output).toContain('ALPN protocol: h2')
    expect(output).toContain('hello over h2')
  })

  test.for(['-tls1_2', '-tls1_3'])('resumes its session with %s', async (version) => {
    const { port } = await startFront(() => plain('a'))
    expect(await client(port, '-servername', 'a.example', version)).toContain('New, TLSv1.')
    const again = await client(port, '-servername', 'a.example', version, '-sess_in', join(directory, 'session'))
    expect(again).toContain('Reused, TLSv1.')
    expect(again).toContain('hello over undefined')
  })

  test.for(['-tls1_2', '-tls1_3'])('shows its certificate, and again by its session, with %s', async (version) => {
    const { port, met } = await startFront(() => validating(clientsOne.certificate))
    const shown = ['-servername', 'a.example', version, '-cert', join(directory, 'client.pem')]
    const first = await client(port, ...shown)
    expect(first).toContain('clients one')
    expect(first).toContain('hello over undefined')
    expect(await client(port, ...shown, '-sess_in', join(directory, 'session'))).toContain('Reused, TLSv1.')
    expect(met.map((each) => typeof each === 'object' && each.certificate?.verified)).toEqual([true, true])
    expect(await client(port, '-servername', 'a.example', version)).not.toContain('hello')
  })
})
