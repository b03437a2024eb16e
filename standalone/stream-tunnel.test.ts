import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { EndpointBalancer } from '../engine/endpoints.ts'
import { AppProtocol, type Backend, type BackendTls, type Endpoint, Origin } from '../proto/gen/route_table.ts'
import { issue } from '../test/certificates.ts'
import { closedEndpoint, startOrigin, type Origin as TestOrigin } from '../test/origins.ts'
import { RawConnection } from '../test/raw-connection.ts'
import type { Connect } from './origin-client.ts'
import { createConnect } from './origin-socket/origin-socket.ts'
import { StreamTunnel, type StreamTunnelLimits, type TunnelReport } from './stream-tunnel.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((part) => part.close()))
})

interface Relay {
  readonly port: number
  readonly tunnels: readonly StreamTunnel[]
  readonly balancer: EndpointBalancer
  /** The report of the next tunnel that ends. */
  report(): Promise<TunnelReport>
}

const closing = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

/** An endpoint that never answers. */
const silence: Endpoint = { address: '192.0.2.1', port: 9 }

const connectTo = createConnect(() => undefined)
const connectOrWait: Connect = (origin, ...rest) =>
  origin.endpoint === silence ? new Socket() : connectTo(origin, ...rest)

const backendOf = (endpoints: readonly Endpoint[]): Backend => ({
  key: 'default/echo:80',
  protocol: AppProtocol.HTTP1,
  origin: Origin.CONNECTOR,
  originAddress: '',
  endpoints: [...endpoints],
  tls: undefined,
})

const limits: StreamTunnelLimits = { connectTimeout: 300, tries: 3, idleTimeout: 5_000 }

/** A port whose connections are joined with endpoints. */
async function startRelay(
  endpoints: readonly Endpoint[],
  changes: Partial<StreamTunnelLimits> = {},
  tls?: BackendTls,
  server: Server = createServer({ allowHalfOpen: true }),
  event = 'connection',
): Promise<Relay> {
  const backend = backendOf(endpoints)
  const tunnels: StreamTunnel[] = []
  const reports: TunnelReport[] = []
  let reported = (): void => {}
  const options = {
    balancer: new EndpointBalancer(),
    connect: connectOrWait,
    now: () => performance.now(),
    random: () => 0,
    observe: (report: TunnelReport) => {
      reports.push(report)
      reported()
    },
    limits: { ...limits, ...changes },
  }
  server.on(event, (socket: Socket) => {
    tunnels.push(new StreamTunnel({ socket, early: Buffer.from('<early>') }, backend, tls, options))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: () => {
      for (const tunnel of tunnels) tunnel.cut()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  return {
    port: (server.address() as AddressInfo).port,
    tunnels,
    balancer: options.balancer,
    report: async () => {
      while (reports.length === 0) await new Promise<void>((resolve) => (reported = resolve))
      const report = reports.shift()
      if (report === undefined) throw new Error('no report')
      return report
    },
  }
}

async function startEcho(serve: Parameters<typeof startOrigin>[0]): Promise<TestOrigin> {
  const origin = await startOrigin(serve)
  open.push(origin)
  return origin
}

test('what came before goes first, and bytes pass both ways until both ends are done', async () => {
  const origin = await startEcho(async (connection) => {
    expect(await connection.take(12)).toBe('<early>hello')
    connection.write('welcome')
    expect(await connection.rest()).toBe('bye')
    connection.socket.end('farewell')
  })
  const relay = await startRelay([origin.endpoint])
  const client = (await RawConnection.open(relay.port)).write('hello')
  expect(await client.take(7)).toBe('welcome')
  // The end of one direction is not the end of the other.
  client.socket.end('bye')
  expect(await client.rest()).toBe('farewell')
  expect(client.closed).toBe('fin')
  expect(await relay.report()).toMatchObject({
    backend: 'default/echo:80',
    endpoint: origin.endpoint,
    ending: 'finished',
    bytesReceived: 15,
    bytesSent: 15,
  })
})

test('an origin that speaks first is heard, and may end its direction first', async () => {
  const origin = await startEcho(async (connection) => {
    connection.socket.end('220 ready')
    expect(await connection.rest()).toBe('<early>quit')
  })
  const relay = await startRelay([origin.endpoint])
  const client = await RawConnection.open(relay.port)
  expect(await client.rest()).toBe('220 ready')
  client.socket.end('quit')
  expect((await relay.report()).ending).toBe('finished')
})

test('megabytes pass both ways at once without a byte lost or changed', async () => {
  const size = 8_000_000
  const pattern = (offset: number): Buffer =>
    Buffer.from(Array.from({ length: 9_973 }, (_, i) => (i * 7 + offset) % 251))
  const send = (socket: Socket, offset: number): void => {
    let left = size
    const piece = pattern(offset)
    const push = (): void => {
      while (left > 0) {
        const length = Math.min(left, piece.length)
        left -= length
        if (!socket.write(piece.subarray(0, length))) return void socket.once('drain', push)
      }
      socket.end()
    }
    push()
  }
  const receive = async (socket: Socket, offset: number, skip: number): Promise<number> => {
    let at = -skip
    const piece = pattern(offset)
    for await (const chunk of socket) {
      const bytes: Buffer = chunk
      for (const byte of bytes) {
        if (at >= 0 && byte !== piece[(at % size) % piece.length]) throw new Error(`byte ${at} is wrong`)
        at++
      }
      // A slow reader now and then.
      if (Math.random() < 0.05) await sleep(1)
    }
    return at
  }
  const received: Promise<number>[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    received.push(receive(socket, 1, '<early>'.length))
    send(socket, 2)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ close: () => server.close() })
  const relay = await startRelay([{ address: '127.0.0.1', port: (server.address() as AddressInfo).port }])
  const client = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true })
  send(client, 1)
  expect(await receive(client, 2, 0)).toBe(size)
  expect(await Promise.all(received)).toEqual([size])
  expect(await relay.report()).toMatchObject({ ending: 'finished', bytesReceived: size + 7, bytesSent: size })
})

test('a client that takes nothing stops the origin, and not more than sockets hold is kept', async () => {
  let written = 0
  const origin = await startEcho(({ socket }) => {
    const piece = Buffer.alloc(65_536)
    const push = (): void => {
      do written += piece.length
      while (socket.write(piece))
      socket.once('drain', push)
    }
    push()
  })
  const relay = await startRelay([origin.endpoint])
  const client = connect({
    port: relay.port,
    host: '127.0.0.1',
    onread: { buffer: Buffer.alloc(1), callback: () => false },
  })
  let before = -1
  while (written !== before) {
    before = written
    await sleep(200)
  }
  expect(before).toBeLessThan(30_000_000)
  client.destroy()
  expect((await relay.report()).ending).toBe('client-lost')
})

test.for<[string, (client: Socket) => void]>([
  ['resets its connection', (client) => client.resetAndDestroy()],
  ['is gone while it receives', (client) => client.destroy()],
])('an origin is told within 50 ms when its client %s', async ([, leave]) => {
  let lost = (_at: number): void => {}
  const wasLost = new Promise<number>((resolve) => (lost = resolve))
  const origin = await startEcho(async (connection) => {
    connection.socket.on('error', () => lost(performance.now()))
    const timer = setInterval(() => connection.socket.write('x'), 2)
    connection.socket.on('close', () => clearInterval(timer))
  })
  const relay = await startRelay([origin.endpoint])
  const client = await RawConnection.open(relay.port)
  await client.take(1)
  const since = performance.now()
  leave(client.socket)
  expect((await wasLost) - since).toBeLessThan(50)
  expect((await relay.report()).ending).toBe('client-lost')
})

test('a client sees a reset when its origin resets', async () => {
  const origin = await startEcho(async (connection) => {
    await connection.take(7)
    connection.socket.write('half of it', () => connection.socket.resetAndDestroy())
  })
  const relay = await startRelay([origin.endpoint])
  const client = await RawConnection.open(relay.port)
  await closing(client.socket)
  expect(client.closed).toBe('reset')
  expect((await relay.report()).ending).toBe('origin-lost')
})

test('what a client sent to its end still reaches the origin, and its end, when the client is gone by then', async () => {
  const origin = await startEcho(async (connection) => {
    connection.socket.pause()
    for (let i = 0; i < 3; i++) {
      await sleep(20)
      connection.socket.write('ack')
    }
    connection.socket.resume()
  })
  const relay = await startRelay([origin.endpoint])
  const client = connect({ port: relay.port, host: '127.0.0.1' })
  client.end('x'.repeat(30_000), () => client.destroy())
  expect((await relay.report()).ending).toBe('client-lost')
  const [atOrigin] = origin.connections
  expect((await atOrigin?.rest())?.length).toBe(30_000 + '<early>'.length)
  expect(atOrigin?.closed).toBe('fin')
})

test('the next endpoint is tried where one refuses, and the client notices nothing', async () => {
  const dead = [await closedEndpoint(), await closedEndpoint()]
  const origin = await startEcho(({ socket }) => void socket.end('here'))
  const relay = await startRelay([...dead, origin.endpoint])
  for (let i = 0; i < 3; i++) {
    const client = await RawConnection.open(relay.port)
    expect(await client.rest()).toBe('here')
    client.socket.destroy()
    expect(await relay.report()).toMatchObject({ endpoint: origin.endpoint, bytesSent: 4 })
  }
})

test('an endpoint that does not answer in time is left for the next', async () => {
  const origin = await startEcho(({ socket }) => void socket.end('here'))
  const relay = await startRelay([silence, origin.endpoint], { connectTimeout: 100 })
  expect(await (await RawConnection.open(relay.port)).rest()).toBe('here')
})

test.for<[string, number, Partial<StreamTunnelLimits>, TunnelReport['ending']]>([
  ['has no endpoints', 0, {}, 'no-endpoints'],
  ['has only endpoints that refuse', 2, {}, 'connect-failed'],
  ['has more endpoints that refuse than are tried', 5, { tries: 2 }, 'connect-failed'],
])('a client of a backend that %s is reset', async ([, count, changes, ending]) => {
  const relay = await startRelay(await Promise.all(Array.from({ length: count }, closedEndpoint)), changes)
  const client = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true })
  const [error] = await once(client, 'error')
  expect(error.code).toBe('ECONNRESET')
  expect((await relay.report()).ending).toBe(ending)
})

test('a client that leaves before there is a connection leaves none behind', async () => {
  const relay = await startRelay([silence], { connectTimeout: 60_000 })
  const client = await RawConnection.open(relay.port)
  await sleep(20)
  client.socket.resetAndDestroy()
  expect(await relay.report()).toMatchObject({ ending: 'client-lost', bytesSent: 0 })
})

test('both ends are reset when neither has sent anything for long', async () => {
  const origin = await startEcho(() => {})
  const relay = await startRelay([origin.endpoint], { idleTimeout: 100 })
  const client = await RawConnection.open(relay.port)
  await closing(client.socket)
  expect((await relay.report()).ending).toBe('idle')
  expect(origin.connections[0]?.closed).toBe('reset')
})

test('a tunnel that is cut resets both ends', async () => {
  const origin = await startEcho(({ socket }) => void socket.write('x'))
  const relay = await startRelay([origin.endpoint])
  const client = await RawConnection.open(relay.port)
  await client.take(1)
  relay.tunnels[0]?.cut()
  await closing(client.socket)
  expect(client.closed).toBe('reset')
  expect((await relay.report()).ending).toBe('cut')
})

test('a tunnel counts as one request under way at its endpoint until it is over', async () => {
  const one = await startEcho(({ socket }) => void socket.write('1'))
  const two = await startEcho(({ socket }) => void socket.write('2'))
  const relay = await startRelay([one.endpoint, two.endpoint])
  const seen: string[] = []
  for (let i = 0; i < 4; i++) seen.push(await (await RawConnection.open(relay.port)).take(1))
  expect(seen.sort()).toEqual(['1', '1', '2', '2'])
})

test('a client of TLS that has ended before there is a connection has ended for the origin too', async () => {
  const { certificate, privateKey } = issue({ subject: 'relay' })
  const origin = await startEcho(async (connection) => {
    connection.socket.end(`heard ${await connection.rest()}`)
  })
  const server = createTlsServer({ cert: certificate, key: privateKey, allowHalfOpen: true })
  const relay = await startRelay([silence, origin.endpoint], {}, undefined, server, 'secureConnection')
  const client = connectTls({ port: relay.port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(client, 'secureConnect')
  client.end()
  expect(await text(client)).toBe('heard <early>')
  expect((await relay.report()).ending).toBe('finished')
})

test('a client of TLS is joined with an origin of TLS as the policy wants it', async () => {
  const authority = issue({ subject: 'authority', isAuthority: true })
  const pair = issue({ subject: 'origin', issuer: authority, names: ['DNS:origin.example'] })
  const secure = createTlsServer({ cert: pair.certificate, key: pair.privateKey }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => socket.end(`got ${bytes}`))
  }).listen(0, '127.0.0.1')
  await once(secure, 'listening')
  open.push({ close: () => secure.close() })
  const endpoint = { address: '127.0.0.1', port: (secure.address() as AddressInfo).port }
  const tls: BackendTls = { hostname: 'origin.example', authorities: authority.certificate, subjectAltNames: [] }
  const front = createTlsServer({ cert: pair.certificate, key: pair.privateKey, allowHalfOpen: true })

  const relay = await startRelay([endpoint], {}, tls, front, 'secureConnection')
  const client = connectTls({ port: relay.port, host: '127.0.0.1', rejectUnauthorized: false })
  expect(`${await once(client, 'data')}`).toBe('got <early>')
  client.end()
  expect((await relay.report()).ending).toBe('finished')

  const wrong = await startRelay([endpoint], {}, { ...tls, hostname: 'other.example' })
  await closing((await RawConnection.open(wrong.port)).socket)
  expect((await wrong.report()).ending).toBe('connect-failed')
})
