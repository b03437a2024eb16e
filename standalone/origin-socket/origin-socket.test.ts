import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { type BackendTls, SubjectAltName_Kind } from '../../proto/gen/route_table.ts'
import { issue } from '../../test/certificates.ts'
import type { ExchangeError } from '../exchange.ts'
import type { Connect, Origin } from '../origin-client.ts'
import type { KeyPair } from './context.ts'
import { createConnect, lossFault } from './origin-socket.ts'

const authority = issue({ subject: 'authority', isAuthority: true })
const otherAuthority = issue({ subject: 'other authority', isAuthority: true })
const server = issue({ subject: 'server', issuer: authority, names: ['DNS:origin.example', 'URI:spiffe://a/b'] })
const client = issue({ subject: 'client', issuer: authority })

const opened: { close(): unknown }[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

async function listening(started: Server): Promise<number> {
  const sockets = new Set<Socket>()
  started.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  opened.push({
    close: () => {
      started.close()
      for (const socket of sockets) socket.destroy()
    },
  })
  started.listen(0, '127.0.0.1')
  await once(started, 'listening')
  return (started.address() as AddressInfo).port
}

/** Answers each line with itself. */
async function tlsOrigin(options: TlsOptions = {}): Promise<{ port: number; accepted: TLSSocket[] }> {
  const accepted: TLSSocket[] = []
  const started = createTlsServer({ cert: server.certificate, key: server.privateKey, ...options }, (socket) => {
    accepted.push(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  started.on('tlsClientError', () => {})
  return { port: await listening(started), accepted }
}

const policy = (changes: Partial<BackendTls> = {}): BackendTls => ({
  hostname: 'origin.example',
  authorities: authority.certificate,
  subjectAltNames: [],
  ...changes,
})

const originAt = (port: number, tls: BackendTls | undefined): Origin => ({
  endpoint: { address: '127.0.0.1', port },
  tls,
})

interface Attempt {
  readonly socket: Socket
  readonly error: ExchangeError | undefined
}

const attempt = (
  origin: Origin,
  clientCertificate: () => KeyPair | undefined = () => undefined,
  protocols: Parameters<Connect>[1] = ['http/1.1'],
  connect = createConnect(clientCertificate),
): Promise<Attempt> =>
  new Promise((resolve) => {
    let returned = false
    const socket = connect(origin, protocols, (error) => {
      expect(returned).toBe(true)
      resolve({ socket, error })
    })
    opened.push({ close: () => socket.destroy() })
    returned = true
  })

async function echoed(socket: Socket): Promise<string> {
  socket.write('hello')
  const [chunk] = await once(socket, 'data')
  return `${chunk}`
}

test('in the clear, a connection is ready to be written to', async () => {
  const port = await listening(createServer((socket) => socket.pipe(socket)))
  const { socket, error } = await attempt(originAt(port, undefined))
  expect(error).toBeUndefined()
  expect(await echoed(socket)).toBe('hello')
  expect(socket.listenerCount('error')).toBe(0)
})

test.for([
  ['in the clear', undefined],
  ['by TLS', policy()],
] as const)('%s, a port where nobody listens is connect-failed', async ([, tls]) => {
  const started = createServer()
  const port = await listening(started)
  started.close()
  const { socket, error } = await attempt(originAt(port, tls))
  expect(error).toMatchObject({ kind: 'connect-failed', unheard: true })
  expect(socket.destroyed).toBe(true)
})

test('a port that cannot be is connect-failed', async () => {
  expect((await attempt(originAt(70_000, undefined))).error?.kind).toBe('connect-failed')
})

test('by TLS, a connection is ready to be written to, with the server name of the policy', async () => {
  const origin = await tlsOrigin()
  const { socket, error } = await attempt(originAt(origin.port, policy()))
  expect(error).toBeUndefined()
  expect(await echoed(socket)).toBe('hello')
  expect(origin.accepted[0]?.servername).toBe('origin.example')
  expect(socket.listenerCount('error')).toBe(0)
})

test('onread gets what comes, in the clear and by TLS', async () => {
  const inClear = await listening(createServer((socket) => socket.end('hello')))
  const byTls = await listening(
    createTlsServer({ cert: server.certificate, key: server.privateKey }, (socket) => socket.end('hello')),
  )
  for (const origin of [originAt(inClear, undefined), originAt(byTls, policy())]) {
    const text = await new Promise<string>((resolve) => {
      const buffer = Buffer.alloc(64)
      const callback = (length: number): boolean => {
        resolve(buffer.toString('latin1', 0, length))
        return true
      }
      const socket = createConnect(() => undefined)(origin, ['http/1.1'], () => {}, { buffer, callback })
      opened.push({ close: () => socket.destroy() })
    })
    expect(text).toBe('hello')
  }
})

test('ALPN offers what is asked for', async () => {
  const origin = await tlsOrigin({ ALPNProtocols: ['h2', 'http/1.1'] })
  for (const protocol of ['h2', 'http/1.1'] as const) {
    await echoed((await attempt(originAt(origin.port, policy()), undefined, [protocol])).socket)
    expect(origin.accepted.pop()?.alpnProtocol).toBe(protocol)
  }
})

test('an origin that speaks none of the protocols is tls-failed', async () => {
  const { port } = await tlsOrigin({ ALPNProtocols: ['h2'] })
  const { error } = await attempt(originAt(port, policy()), undefined, ['http/1.1'])
  expect(error?.kind).toBe('tls-failed')
})

const expired = issue({
  subject: 'server',
  issuer: authority,
  names: ['DNS:origin.example'],
  notAfter: new Date(Date.now() - 60_000),
})
const selfSigned = issue({ subject: 'server', names: ['DNS:origin.example'] })
const fakeAuthority = issue({ subject: 'authority', isAuthority: true })
const forged = issue({ subject: 'server', issuer: fakeAuthority, names: ['DNS:origin.example'] })
const underLeaf = issue({ subject: 'below', issuer: server, names: ['DNS:origin.example'] })
const shown = ({ certificate, privateKey }: typeof server): TlsOptions => ({ cert: certificate, key: privateKey })
const uri = (value: string) => ({ kind: SubjectAltName_Kind.URI, value })

test.for<[string, TlsOptions, Partial<BackendTls>, message: RegExp]>([
  ['for another name', shown(server), { hostname: 'other.example' }, /not for other\.example/],
  ['for an address that a policy took for a name', shown(server), { hostname: '127.0.0.1' }, /not for 127/],
  ['with none of the names wanted', shown(server), { subjectAltNames: [uri('spiffe://a/c')] }, /none of spiffe/],
  ['that has expired', shown(expired), {}, /expired/],
  ['that nobody vouches for', shown(selfSigned), {}, /self-signed/],
  ['by another authority', shown(server), { authorities: otherAuthority.certificate }, /certificate/],
  ['by another authority of the same name', shown(forged), {}, /signature/],
  [
    'signed by a certificate that is no authority',
    { ...shown(underLeaf), cert: underLeaf.certificate + server.certificate },
    {},
    /certificate/,
  ],
  ['of a private authority, where the system decides', shown(server), { authorities: '' }, /certificate/],
  ['where the authorities are no certificates', shown(server), { authorities: 'none' }, /certificate/],
])('a certificate %s is tls-failed', async ([, options, changes, message]) => {
  const { port } = await tlsOrigin(options)
  const { socket, error } = await attempt(originAt(port, policy(changes)))
  expect(error).toMatchObject({ kind: 'tls-failed', unheard: true, message: expect.stringMatching(message) })
  expect(socket.destroyed).toBe(true)
})

test('one of the names wanted is enough, whatever the hostname', async () => {
  const { port } = await tlsOrigin()
  const wanted = { hostname: 'other.example', subjectAltNames: [uri('x:y'), uri('spiffe://a/b')] }
  expect((await attempt(originAt(port, policy(wanted)))).error).toBeUndefined()
})

test('several authorities may vouch, and a certificate for itself', async () => {
  const both = policy({ authorities: otherAuthority.certificate + authority.certificate })
  expect((await attempt(originAt((await tlsOrigin()).port, both))).error).toBeUndefined()
  const itself = policy({ authorities: selfSigned.certificate })
  expect((await attempt(originAt((await tlsOrigin(shown(selfSigned))).port, itself))).error).toBeUndefined()
})

test('an intermediate that the policy names is trusted without its root', async () => {
  const intermediate = issue({ subject: 'intermediate', issuer: authority, isAuthority: true })
  const leaf = issue({ subject: 'server', issuer: intermediate, names: ['DNS:origin.example'] })
  const { port } = await tlsOrigin(shown(leaf))
  expect((await attempt(originAt(port, policy({ authorities: intermediate.certificate })))).error).toBeUndefined()
})

test('NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing', async () => {
  const { port } = await tlsOrigin(shown(selfSigned))
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  const { error } = await attempt(originAt(port, policy())).finally(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  })
  expect(error?.kind).toBe('tls-failed')
})

test.for(['TLSv1.2', 'TLSv1.3'] as const)(
  'in %s, a session of one policy is no way around another',
  async (version) => {
    const { port, accepted } = await tlsOrigin({ minVersion: version, maxVersion: version })
    const connect = createConnect(() => undefined)
    const as = (changes: Partial<BackendTls>): Promise<Attempt> =>
      attempt(originAt(port, policy(changes)), undefined, ['http/1.1'], connect)
    const { socket, error } = await as({})
    expect(error).toBeUndefined()
    await echoed(socket)
    expect((await as({ hostname: 'other.example' })).error?.kind).toBe('tls-failed')
    expect((await as({ subjectAltNames: [uri('x:y')] })).error?.kind).toBe('tls-failed')
    expect((await as({ authorities: otherAuthority.certificate })).error?.kind).toBe('tls-failed')
    expect((await as({})).error).toBeUndefined()
    expect(accepted.some((one) => one.isSessionReused())).toBe(false)
  },
)

const asking: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate }

test('an origin that asks gets the client certificate, also after it has changed', async () => {
  const origin = await tlsOrigin(asking)
  let pair: KeyPair | undefined = client
  const connect = createConnect(() => pair)
  const serial = async (): Promise<string | undefined> => {
    const { socket, error } = await attempt(originAt(origin.port, policy()), undefined, ['http/1.1'], connect)
    expect(error).toBeUndefined()
    await echoed(socket)
    return origin.accepted.pop()?.getPeerX509Certificate()?.serialNumber
  }
  const first = await serial()
  expect(await serial()).toBe(first)
  pair = issue({ subject: 'client', issuer: authority })
  expect(await serial()).not.toBe(first)
})

test('an origin that wants a client certificate and gets none is tls-failed, if need be after the handshake', async () => {
  const earlier = await tlsOrigin({ ...asking, maxVersion: 'TLSv1.2' })
  expect((await attempt(originAt(earlier.port, policy()))).error?.kind).toBe('tls-failed')
  const later = await tlsOrigin(asking)
  const { socket, error } = await attempt(originAt(later.port, policy()))
  expect(error).toBeUndefined()
  const [loss] = await once(socket, 'error')
  expect(lossFault(loss)).toBe('tls-failed')
  expect(lossFault(new Error('read ECONNRESET'))).toBe('connection-lost')
})

test('a client certificate that cannot be used is tls-failed', async () => {
  const { port } = await tlsOrigin()
  const { error } = await attempt(originAt(port, policy()), () => ({ certificate: 'none', privateKey: 'none' }))
  expect(error).toMatchObject({ kind: 'tls-failed', unheard: true })
})

test.for<[string, (socket: Socket) => void]>([
  ['closes at once', (socket) => socket.destroy()],
  ['closes after the hello', (socket) => socket.once('data', () => socket.end())],
  ['resets after the hello', (socket) => socket.once('data', () => socket.resetAndDestroy())],
  ['speaks in the clear', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('an origin that %s in the handshake is tls-failed', async ([, misbehave]) => {
  const port = await listening(createServer(misbehave))
  expect((await attempt(originAt(port, policy()))).error).toMatchObject({ kind: 'tls-failed', unheard: true })
})

test('whoever gives up on a silent origin hears nothing more', async () => {
  const port = await listening(createServer())
  let heard = 0
  const socket = createConnect(() => undefined)(originAt(port, policy()), ['http/1.1'], () => heard++)
  await once(socket, 'connect')
  socket.destroy()
  await once(socket, 'close')
  expect(heard).toBe(0)
})

test('what the system trusts is trusted, and nothing else, where the policy names no authorities', async () => {
  // A process of its own, because Node.js reads the files once.
  const script = `
    import { createConnect } from ${JSON.stringify(new URL('./origin-socket.ts', import.meta.url).href)}
    import { createServer } from 'node:tls'
    const [cert, key] = [process.env.CERTIFICATE, process.env.KEY]
    const server = createServer({ cert, key }, (socket) => socket.end()).on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1', () => {
      const endpoint = { address: '127.0.0.1', port: server.address().port }
      const tls = { hostname: 'origin.example', authorities: '', subjectAltNames: [] }
      createConnect(() => undefined)({ endpoint, tls }, ['http/1.1'], (error) => {
        console.log(error?.kind ?? 'ready')
        process.exit()
      })
    })`
  const outcome = (files: Readonly<Record<string, string>>): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, CERTIFICATE: server.certificate, KEY: server.privateKey, ...files },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  const folder = mkdtempSync(join(tmpdir(), 'authorities-'))
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  try {
    for (const { subject, certificate } of [authority, otherAuthority])
      writeFileSync(join(folder, subject), certificate)
    expect(outcome({ SSL_CERT_FILE: join(folder, authority.subject), SSL_CERT_DIR: empty })).toBe('ready')
    expect(outcome({ SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: folder })).toBe('ready')
    expect(outcome({ SSL_CERT_FILE: join(folder, otherAuthority.subject), SSL_CERT_DIR: empty })).toBe('tls-failed')
    // Now those that come with Node.js.
    expect(outcome({ SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: empty })).toBe('tls-failed')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
