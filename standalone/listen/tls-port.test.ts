import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
} from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { issue } from '../../test/certificates.ts'
import { backend, type TableParts } from '../../test/engine-tables.ts'
import { listenOnFreePort } from '../../test/free-port.ts'
import {
  curl,
  drip,
  https,
  pair,
  passthrough,
  type Rig,
  recordedHello,
  request,
  startRig,
  stream,
  streamsOf,
  terminate,
  tls,
} from '../../test/listen-rig.ts'
import { startOriginUntilEnd } from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'

async function startTlsOrigin(name: string): Promise<{ readonly address: string; readonly port: number }> {
  const { certificate, privateKey } = issue({ subject: name })
  const server = createTlsServer({ cert: certificate, key: privateKey }, (socket) => {
    socket.on('error', () => {})
    socket.end(`from ${name}`)
    socket.resume()
  })
  const port = await listenOnFreePort(server)
  onTestFinished(() => void server.close())
  return { address: '127.0.0.1', port }
}

/** What a client of TLS reads to the end, and whose certificate it saw; or how it failed. */
async function callTls(port: number, serverName: string, options: ConnectionOptions = {}): Promise<string> {
  const socket: TLSSocket = connectTls({
    port,
    host: '127.0.0.1',
    servername: serverName,
    rejectUnauthorized: false,
    ...options,
  })
  let text = ''
  socket.on('secureConnect', () => {
    text += `${socket.getPeerCertificate().subject.CN}: `
  })
  socket.on('data', (bytes) => {
    text += bytes
  })
  socket.on('error', (error: Error & { readonly code?: string }) => {
    text += `${error.code} ${error.message}`
  })
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

describe('a port of TLS', () => {
  const listeners = [
    https('any', ''),
    https('site', 'site.example'),
    tls('through', 'through.example', passthrough),
    tls('ended', 'ended.example', terminate),
    tls('lost', '*.lost.example', passthrough),
    tls('empty', 'empty.example', terminate),
  ]

  async function startSite(
    rig: Rig,
    changes: Partial<TableParts> = {},
  ): Promise<{ port: number; set(parts: TableParts): void }> {
    const secure = await startTlsOrigin('the origin')
    const plain = await startOriginUntilEnd(async (connection) => {
      const bytes = await connection.take(4)
      connection.socket.end(`plain ${bytes}`)
    })
    const parts = {
      listeners,
      hosts: [
        stream('through', 'through.example', 'a/secure:443'),
        stream('ended', 'ended.example', 'a/plain:80'),
        stream('lost', 'no-endpoints.lost.example', 'a/none:80'),
      ],
      backends: [
        backend({ key: 'a/secure:443', endpoints: [secure] }),
        backend({ key: 'a/plain:80', endpoints: [plain.endpoint] }),
        backend({ key: 'a/none:80', endpoints: [] }),
      ],
      ...changes,
    }
    let streams = streamsOf(parts)
    return {
      port: await rig.bind({ type: 'tls', streams: () => [streams] }),
      set: (changed) => {
        streams = streamsOf({ ...parts, ...changed })
      },
    }
  }

  test('ends TLS for HTTPS listeners, with HTTP/2 or HTTP/1.1 as the client has it', async () => {
    const { port } = await startSite(startRig())
    for (const [alpn, version] of [
      ['--http1.1', 'HTTP/1.1'],
      ['--http2', 'HTTP/2'],
      ['--no-alpn', 'HTTP/1.1'],
    ] as const) {
      const to = ['--resolve', `site.example:${port}:127.0.0.1`, `https://site.example:${port}/s`]
      const told = await curl(['-sk', alpn, ...to])
      expect(told, alpn).toEqual({
        version,
        target: '/s',
        port: 443,
        scheme: 'https',
        address: '127.0.0.1',
        serverName: 'site.example',
      })
    }
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      servername: 'other.example',
      rejectUnauthorized: false,
    })
    const ask = session.request({ ':path': '/y' })
    let body = ''
    for await (const chunk of ask) body += chunk
    expect(JSON.parse(body)).toMatchObject({ version: 'HTTP/2', serverName: 'other.example' })
    session.close()
  })

  test('passes TLS through to its backend, and ends it for another beside it', async () => {
    const rig = startRig()
    const { port } = await startSite(rig)
    expect(await callTls(port, 'through.example')).toBe('the origin: from the origin')
    const ended = connectTls({ port, host: '127.0.0.1', servername: 'ended.example', rejectUnauthorized: false })
    ended.write('ping')
    expect(`${await once(ended, 'data')}`).toBe('plain ping')
    ended.end()
    await expect.poll(() => rig.why()).toEqual(['finished', 'finished'])
    expect(rig.reports[0]).toMatchObject({
      serverName: 'through.example',
      gateway: 'infra/edge',
      matched: { route: 'TLSRoute a/b', listener: 'through' },
      tunnel: { backend: 'a/secure:443' },
    })
  })

  test('takes a ClientHello a byte at a time', async () => {
    const { port } = await startSite(startRig())
    const proxy = createServer((client) => {
      client.on('error', () => {})
      const onward = connect(port, '127.0.0.1')
      onward.on('error', () => {})
      onward.pipe(client)
      client.once('data', async (hello) => {
        await drip(onward, hello)
        client.pipe(onward)
      })
    })
    const through = await listenOnFreePort(proxy)
    onTestFinished(() => void proxy.close())
    expect(await callTls(through, 'through.example')).toBe('the origin: from the origin')
    const told = await curl([
      '-sk',
      '--resolve',
      `site.example:${through}:127.0.0.1`,
      `https://site.example:${through}/`,
    ])
    expect(told).toMatchObject({ serverName: 'site.example' })
  })

  test.for([
    ['without a route', 'x.lost.example', 'no-route'],
    ['whose backend has no endpoints', 'no-endpoints.lost.example', 'no-endpoints'],
    ['without a route, though TLS would end here', 'empty.example', 'no-route'],
  ] as const)(
    'closes the connection of a name %s before the handshake ends, without an alert',
    async ([, name, why]) => {
      const rig = startRig()
      const { port } = await startSite(rig)
      expect(await callTls(port, name)).toMatch(/^ECONNRESET /)
      expect(rig.why()).toEqual([why])
    },
  )

  test('closes the connection of a name without a listener', async () => {
    const rig = startRig()
    const { port } = await startSite(rig, { listeners: listeners.slice(1) })
    expect(await callTls(port, 'other.example')).toMatch(/^ECONNRESET /)
    expect(await callTls(port, '')).toMatch(/^ECONNRESET /)
    expect(rig.why()).toEqual(['no-listener', 'no-listener'])
  })

  test('closes the connection where no certificate can be used', async () => {
    const rig = startRig()
    const { port } = await startSite(rig)
    rig.certificates.set(new Map())
    expect(await callTls(port, 'site.example')).toMatch(/^ECONNRESET /)
    expect(rig.why()).toEqual(['no-certificate'])
  })

  test.for([
    ['a request in the clear', Buffer.from(request), 'not-tls'],
    ['a malformed hello', Buffer.from([22, 3, 1, 0, 5, 2, 0, 0, 1, 0]), 'malformed-hello'],
    ['an oversized hello', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0]), 'malformed-hello'],
  ] as const)('closes the connection of %s', async ([, bytes, why]) => {
    const rig = startRig()
    const { port } = await startSite(rig)
    const client = await RawConnection.open(port)
    client.socket.write(bytes)
    expect(await client.rest()).toBe('')
    expect(rig.why()).toEqual([why])
  })

  test('closes the connection of a hello that does not end', async () => {
    const rig = startRig({ headTimeout: 150 })
    const { port } = await startSite(rig)
    const client = await RawConnection.open(port)
    const hello = recordedHello()
    await drip(client.socket, hello.subarray(0, 40))
    expect(await client.rest()).toBe('')
    expect(rig.why()).toEqual(['head-timeout'])
  })

  test('a tunnel stays while its listener does, and gets a while when that is gone', async () => {
    const rig = startRig({ partingTimeout: 100 })
    const quiet = await startOriginUntilEnd(({ socket }) => void socket.write('hi'))
    const parts = { backends: [backend({ key: 'a/plain:80', endpoints: [quiet.endpoint] })] }
    const { port, set } = await startSite(rig, parts)
    const client = connectTls({ port, host: '127.0.0.1', servername: 'ended.example', rejectUnauthorized: false })
    client.on('error', () => {})
    await once(client, 'data')
    set({ ...parts, hosts: [] })
    await rig.again()
    await sleep(200)
    expect(rig.why()).toEqual([])
    set({ ...parts, listeners: listeners.filter(({ id }) => id !== 'ended') })
    await rig.again()
    await sleep(20)
    expect(rig.why()).toEqual([])
    await once(client, 'close')
    expect(rig.why()).toEqual(['cut'])
  })

  test('connections go on when listeners change, but not when clients are asked for another certificate', async () => {
    const rig = startRig()
    const { port, set } = await startSite(rig)
    const client = connectTls({ port, host: '127.0.0.1', servername: 'site.example', rejectUnauthorized: false })
    client.on('error', () => {})
    const ask = async (): Promise<string> => {
      client.write('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n')
      const [answer] = await Promise.race([once(client, 'data'), once(client, 'close')])
      return `${answer}`
    }
    expect(await ask()).toContain('200 OK')
    set({
      listeners: [https('another', 'site.example', { tls: { ...terminate, certificates: ['a/cert', 'a/more'] } })],
    })
    await rig.again()
    expect(await ask()).toContain('200 OK')
    const clients = { authorities: pair.certificate, insecureFallback: false }
    set({ listeners: [https('another', 'site.example', { tls: { ...terminate, clients } })] })
    await rig.again()
    expect(await ask()).not.toContain('200 OK')
    // Neither client has a certificate to show.
    expect(await callTls(port, 'site.example')).not.toContain('200')
  })
})
