import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { EndpointBalancer } from '../../engine/endpoints.ts'
import { Streams } from '../../engine/streams.ts'
import { type Endpoint, Protocol } from '../../proto/gen/route_table.ts'
import { backend, host, listener, ref, routerOf, rule, type TableParts } from '../../test/engine-tables.ts'
import type { UdpReport } from './report.ts'
import { Udp, type UdpBind, type UdpLimits } from './udp.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

function closing<T extends { close(): unknown }>(part: T): T {
  open.push(part)
  return part
}

/** An endpoint that answers each datagram with its name, what came, and the port it came from. */
async function startEcho(name: string, address = '127.0.0.1'): Promise<Endpoint> {
  const socket = closing(createSocket(isIPv6(address) ? 'udp6' : 'udp4'))
  socket.on('message', (datagram, { port, address }) => {
    if (`${datagram}` !== 'hush') socket.send(`${name} ${datagram} ${port}`, port, address)
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  return { address, port: socket.address().port }
}

/** An endpoint where nobody is. */
async function closedPort(): Promise<Endpoint> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return { address: '127.0.0.1', port }
}

class Client {
  readonly socket: Socket
  readonly #port: number
  readonly #address: string

  constructor(port: number, address = '127.0.0.1') {
    this.socket = closing(createSocket(isIPv6(address) ? 'udp6' : 'udp4'))
    this.#port = port
    this.#address = address
  }

  send(text: string): void {
    this.socket.send(text, this.#port, this.#address)
  }

  /** The answer and where it came from; undefined when there is none for a while. */
  async ask(text: string): Promise<{ text: string; from: string } | undefined> {
    const answer = once(this.socket, 'message', { signal: AbortSignal.timeout(300) })
    this.send(text)
    return answer.then(
      ([datagram, { address, port }]) => ({ text: `${datagram}`, from: `${address} ${port}` }),
      () => undefined,
    )
  }
}

const udpListener = listener({ id: 'udp', port: 53, protocol: Protocol.UDP })

/** One UDPRoute to backends of these endpoints and weights. */
const table = (...backends: readonly (readonly [endpoints: readonly Endpoint[], weight: number])[]): TableParts => ({
  listeners: [udpListener],
  hosts: [
    host({
      listener: 'udp',
      rules: [
        rule({
          route: 'UDPRoute a/dns',
          backends: backends.map(([, weight], i) => ref({ backend: `a/${i}:53/udp`, weight })),
        }),
      ],
    }),
  ],
  backends: backends.map(([endpoints], i) => backend({ key: `a/${i}:53/udp`, endpoints: [...endpoints] })),
})

interface Rig {
  readonly udp: Udp
  readonly port: number
  readonly reports: readonly UdpReport[]
  /** Changes the table. */
  set(parts: TableParts): Promise<void>
  endings(): string[]
}

async function startUdp(parts: TableParts, limits: Partial<UdpLimits> = {}, address = '127.0.0.1'): Promise<Rig> {
  const reports: UdpReport[] = []
  let streams = new Streams(routerOf(parts).table)
  let drawn = 0
  const udp = closing(
    new Udp({
      balancer: new EndpointBalancer(),
      now: () => performance.now(),
      random: () => (drawn++ % 8) / 8,
      reusePort: false,
      observe: (report) => reports.push(report),
      log: (event) => {
        throw new Error(event)
      },
      limits,
    }),
  )
  const bind: UdpBind = { address, port: 0, listenerPort: 53, streams: () => [streams] }
  expect(await udp.set([bind])).toEqual([])
  return {
    udp,
    port: udp.portOf(bind) ?? 0,
    reports,
    set: async (changed) => {
      streams = new Streams(routerOf(changed).table)
      expect(await udp.set([bind])).toEqual([])
    },
    endings: () => reports.map((report) => (report.type === 'session' ? report.ending : report.why)),
  }
}

test('datagrams of one source go over one session, and answers leave from the listener', async () => {
  const { udp, port } = await startUdp(table([[await startEcho('one')], 1]), {}, '127.0.0.53')
  const client = new Client(port, '127.0.0.53')
  const first = await client.ask('a')
  expect(first?.from).toBe(`127.0.0.53 ${port}`)
  const [, , backendPort] = first?.text.split(' ') ?? []
  for (const text of ['b', '']) expect(await client.ask(text)).toEqual({ ...first, text: `one ${text} ${backendPort}` })
  expect(udp.sessions).toBe(1)
  const other = await new Client(port, '127.0.0.53').ask('a')
  expect(other?.text).not.toBe(first?.text)
  expect(udp.sessions).toBe(2)
})

test('sources are shared out by weight, and stay where they are', async () => {
  const { port } = await startUdp(table([[await startEcho('heavy')], 3], [[await startEcho('light')], 1]))
  const seen: string[] = []
  for (let i = 0; i < 8; i++) {
    const client = new Client(port)
    const names = new Set<string | undefined>()
    for (let n = 0; n < 3; n++) names.add((await client.ask('x'))?.text.split(' ')[0])
    expect(names.size).toBe(1)
    seen.push(...[...names].map((name) => name ?? 'nothing'))
  }
  expect(seen.sort()).toEqual([...Array(6).fill('heavy'), ...Array(2).fill('light')])
})

test('IPv6 and IPv4 meet on either side', async () => {
  const four = await startEcho('four')
  const six = await startEcho('six', '::1')
  const overSix = await startUdp(table([[four], 1]), {}, '::1')
  expect((await new Client(overSix.port, '::1').ask('x'))?.text).toContain('four x')
  const overFour = await startUdp(table([[six], 1]))
  expect((await new Client(overFour.port).ask('x'))?.text).toContain('six x')
  const everywhere = await startUdp(table([[six], 1]), {}, '::')
  expect((await new Client(everywhere.port).ask('x'))?.text).toContain('six x')
  expect((await new Client(everywhere.port, '::1').ask('x'))?.text).toContain('six x')
})

test('datagrams up to the largest pass unchanged', async () => {
  const socket = closing(createSocket('udp4'))
  socket.on('message', (datagram, { port, address }) => socket.send(datagram, port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = await startUdp(table([[{ address: '127.0.0.1', port: socket.address().port }], 1]))
  const client = new Client(port)
  for (const length of [0, 1, 1_472, 9_000, 65_507]) {
    const text = 'x'.repeat(length)
    expect((await client.ask(text))?.text === text, `${length} bytes`).toBe(true)
  }
})

test('an endpoint where nobody is costs its session, and the source gets another', async () => {
  const { udp, port, endings } = await startUdp(table([[await closedPort(), await startEcho('live')], 1]))
  const client = new Client(port)
  let answer = await client.ask('x')
  for (let i = 0; i < 9 && answer === undefined; i++) answer = await client.ask('x')
  expect(answer?.text).toContain('live x')
  expect(new Set(endings())).toEqual(new Set(['lost']))
  expect(udp.sessions).toBe(1)
})

test.for<[string, TableParts, string]>([
  ['no route', { listeners: [udpListener] }, 'no-route'],
  ['no listener', {}, 'no-listener'],
  ['no endpoints', table([[], 1]), 'no-endpoints'],
  ['only weights of zero', table([[{ address: '127.0.0.1', port: 9 }], 0]), 'no-backends'],
  ['an endpoint that cannot be sent to', table([[{ address: 'nonsense', port: 9 }], 1]), 'connect-failed'],
])('a datagram is dropped where there is %s', async ([, parts, why]) => {
  const { udp, port, endings } = await startUdp(parts)
  new Client(port).send('x')
  await expect.poll(endings).toEqual([why])
  expect(udp.sessions).toBe(0)
})

test('a session ends when neither side has sent anything for long, and not before', async () => {
  const { udp, port, reports } = await startUdp(table([[await startEcho('one')], 1]), { idleTimeout: 150 })
  const busy = new Client(port)
  const idle = new Client(port)
  await idle.ask('x')
  for (let i = 0; i < 8; i++) {
    await busy.ask('x')
    await sleep(40)
  }
  expect(udp.sessions).toBe(1)
  expect(reports).toMatchObject([
    {
      type: 'session',
      ending: 'idle',
      port: 53,
      source: { address: '127.0.0.1', port: idle.socket.address().port },
      gateway: 'infra/edge',
      matched: { route: 'UDPRoute a/dns' },
      backend: 'a/0:53/udp',
      datagramsReceived: 1,
      datagramsSent: 1,
    },
  ])
  await expect.poll(() => udp.sessions).toBe(0)
})

test('one session more than there may be makes the longest idle go', async () => {
  const { udp, port, reports } = await startUdp(table([[await startEcho('one')], 1]), { sessions: 3 })
  const clients = Array.from({ length: 4 }, () => new Client(port))
  for (const client of clients.slice(0, 3)) await client.ask('x')
  // The first is not the longest idle any more.
  await clients[0]?.ask('x')
  await clients[3]?.ask('x')
  expect(udp.sessions).toBe(3)
  expect(reports).toMatchObject([{ ending: 'evicted', source: { port: clients[1]?.socket.address().port } }])
})

test('an address that begins too many sessions in a second has to wait, and others do not', async () => {
  const { udp, port, endings } = await startUdp(table([[await startEcho('one')], 1]), { newPerSource: 5 })
  for (let i = 0; i < 20; i++) new Client(port).send('x')
  await expect.poll(() => endings().length).toBeGreaterThanOrEqual(10)
  expect(new Set(endings())).toEqual(new Set(['too-many-sessions']))
  expect(udp.sessions).toBeLessThanOrEqual(10)
  const other = closing(createSocket('udp4'))
  other.bind(0, '127.0.0.9')
  await once(other, 'listening')
  const answer = once(other, 'message')
  other.send('y', port, '127.0.0.1')
  expect(`${(await answer)[0]}`).toContain('one y')
  const late = async (): Promise<string | undefined> => (await new Client(port).ask('z'))?.text
  await expect.poll(late, { timeout: 3_000 }).toContain('one z')
})

test('sessions stay when a table changes, but for those whose endpoint or route is gone', async () => {
  const [one, two] = [await startEcho('one'), await startEcho('two')]
  const { udp, port, set, endings } = await startUdp(table([[one], 1], [[two], 7]))
  const clients = [new Client(port), new Client(port)]
  const texts = async () => Promise.all(clients.map(async (client) => (await client.ask('x'))?.text))
  const before = await texts()
  expect(before.map((text) => text?.split(' ')[0]).sort()).toEqual(['one', 'two'])
  await set({ ...table([[one], 1], [[two], 7]), settings: { hideReason: true, trustedHops: 0, clientCertificate: '' } })
  expect(await texts()).toEqual(before)
  await set(table([[one], 1], [[one], 7]))
  expect(endings()).toEqual(['parted'])
  expect((await texts()).map((text) => text?.split(' ')[0])).toEqual(['one', 'one'])
  await set({ listeners: [udpListener] })
  expect(udp.sessions).toBe(0)
})

test('an answer that comes when its listener is gone is dropped', async () => {
  const { udp, port } = await startUdp(table([[await startEcho('one')], 1]))
  const client = new Client(port)
  await client.ask('x')
  const answer = client.ask('y')
  await udp.set([])
  expect(await answer).toBeUndefined()
})

test('an address that is taken is told, and tried again', async () => {
  const { udp } = await startUdp(table([[await startEcho('one')], 1]), { retryDelay: 30 })
  const other = createSocket('udp4').bind(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address()
  const streams = new Streams(routerOf(table([[await startEcho('two')], 1])).table)
  expect(await udp.set([{ address: '127.0.0.1', port, listenerPort: 53, streams: () => [streams] }])).toEqual([
    expect.stringMatching(`^127.0.0.1 port ${port} of UDP: bind EADDRINUSE`),
  ])
  other.close()
  await expect.poll(async () => (await new Client(port).ask('x'))?.text).toContain('two x')
})

test('processes that share a port share the sources', async () => {
  const echo = await startEcho('one')
  const shared = await Promise.all(
    [0, 1].map(async () => {
      const streams = new Streams(routerOf(table([[echo], 1])).table)
      const balancer = new EndpointBalancer()
      const [now, quiet] = [() => performance.now(), () => {}]
      const udp = closing(new Udp({ balancer, now, random: Math.random, reusePort: true, observe: quiet, log: quiet }))
      return { udp, streams }
    }),
  )
  let port = 0
  for (const { udp, streams } of shared) {
    const bind = { address: '127.0.0.1', port, listenerPort: 53, streams: () => [streams] }
    expect(await udp.set([bind])).toEqual([])
    port = udp.portOf(bind) ?? 0
  }
  for (let i = 0; i < 30; i++) expect((await new Client(port).ask('x'))?.text).toContain('one x')
  expect(shared.every(({ udp }) => udp.sessions > 0)).toBe(true)
})
