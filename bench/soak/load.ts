// The mixed load of the soak: clients of all kinds, those that behave and those that do not.
import { once } from 'node:events'
import { Agent, type RequestOptions, request } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { Client, credentials } from '@grpc/grpc-js'
import { WebSocket } from 'ws'
import { h2load, type Target, wrk } from '../../test/serve-load.ts'
import { grpcService } from '../../test/serve-origins.ts'
import { hosts, ports, type World } from '../../test/serve-world.ts'

/** What one kind of client came to. */
export interface Count {
  done: number
  failed: number
  /** The last. */
  failure: string
}

/** Milliseconds from one turn of a client to its next, so that no kind takes the processor from the others. */
const pace = 20

/** Runs all clients until `until`, in the time of performance.now(). */
export async function mixedLoad(world: World, until: number): Promise<ReadonlyMap<string, Count>> {
  const counts = new Map<string, Count>()
  const clients = Object.entries(kinds).map(async ([name, kind]) => {
    const count: Count = { done: 0, failed: 0, failure: '' }
    counts.set(name, count)
    while (performance.now() < until) {
      try {
        count.done += await kind(world, (until - performance.now()) / 1000)
      } catch (error) {
        count.failed++
        count.failure = String(error)
      }
      await sleep(pace)
    }
  })
  await Promise.all(clients)
  return counts
}

/** One turn each; resolves with how many requests, calls or connections it was. */
const kinds: Readonly<Record<string, (world: World, secondsLeft: number) => Promise<number>>> = {
  'wrk, kept alive': (world, left) => tallied(wrk(target(world, 'http'), turn(left), 4)),
  'wrk, TLS, a connection each': (world, left) =>
    tallied(wrk(target(world, 'https'), turn(left), 2, ['-H', 'Connection: close'])),
  'h2load, TLS': (world, left) => tallied(h2load(target(world, 'https'), turn(left), 2, 8)),
  'uploads of 100 kB to HTTP/1.1': (world) => upload(world, hosts.http1),
  'uploads of 100 kB to h2c': (world) => upload(world, hosts.h2c),
  'answers of 1 MB over TLS to the origin': (world) =>
    fetched(world, { path: '/bytes/1000000', headers: { host: hosts.tls } }),
  'gRPC calls': grpcCalls,
  WebSockets: webSocket,
  'TCP connections': tcpEcho,
  'TLS passed through': passthrough,
  'requests without a route': async (world) => {
    await fetched(world, { headers: { host: 'nobody.example.test' } }, 404)
    return 1
  },
  'origins that are too late': async (world) => {
    await fetched(world, { path: '/hang', headers: { host: hosts.http1 } }, 504)
    return 1
  },
  'clients that leave in an upload': (world) =>
    leave(world, `POST /up HTTP/1.1\r\nHost: ${hosts.http1}\r\nContent-Length: 100000\r\n\r\nhalf`),
  'clients that leave in an answer': (world) =>
    leave(world, `GET /bytes/1000000 HTTP/1.1\r\nHost: ${hosts.http1}\r\n\r\n`),
  'clients that send junk': (world) =>
    leave(world, `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nTransfer-Encoding: xchunked\r\n\r\n`),
  'clients of TLS that send junk': (world) => leave(world, '\x16\x03\x01\x00\x05junk!', ports.https),
}

/** Seconds of one run of an outside client. */
const turn = (left: number): number => Math.max(1, Math.min(10, Math.floor(left)))

const target = ({ site }: World, scheme: Target['scheme']): Target => ({
  scheme,
  address: site.address,
  port: ports[scheme],
  host: hosts.http1,
})

async function tallied({ tally }: ReturnType<typeof wrk>): Promise<number> {
  const { requests, failures, output } = await tally
  if (failures !== 0) throw new Error(`${failures} of ${requests} failed:\n${output}`)
  return requests
}

const agent = new Agent({ keepAlive: true, maxSockets: 4 })
const body = Buffer.alloc(100_000, 'body ')

async function fetched(
  { site }: World,
  options: RequestOptions,
  status = 200,
  sent = Buffer.alloc(0),
): Promise<number> {
  const asked = request({ agent, host: site.address, port: ports.http, ...options }).end(sent)
  const [response] = await once(asked, 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== status)
    throw new Error(`status ${response.statusCode} ${response.headers['landfall-reason']}`)
  return 1
}

const upload = (world: World, host: string): Promise<number> =>
  fetched(world, { method: 'POST', path: '/up', headers: { host, 'content-length': body.length } }, 200, body)

let grpc: Client | undefined

/** Ten calls at once over one connection, which is kept. */
async function grpcCalls({ site }: World): Promise<number> {
  grpc ??= new Client(`${site.address}:${ports.http}`, credentials.createInsecure(), {
    'grpc.default_authority': hosts.grpc,
  })
  const client = grpc
  const { path, requestSerialize, responseDeserialize } = grpcService.unary
  const call = () =>
    new Promise<void>((resolve, reject) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, body, (error) =>
        error === null ? resolve() : reject(error),
      ),
    )
  await Promise.all(Array.from({ length: 10 }, call))
  return 10
}

async function webSocket({ site, authority }: World): Promise<number> {
  const tls = { servername: hosts.webSocket, ca: authority }
  const headers = { host: hosts.webSocket }
  const socket = new WebSocket(`wss://${site.address}:${ports.https}/`, { headers, ...tls })
  await once(socket, 'open')
  for (let n = 0; n < 10; n++) {
    const answered = once(socket, 'message')
    socket.send(body)
    await answered
  }
  socket.close()
  await once(socket, 'close')
  return 1
}

async function tcpEcho({ site }: World): Promise<number> {
  const socket = connectTcp({ host: site.address, port: ports.tcp, allowHalfOpen: true })
  socket.end('hello')
  if ((await textOf(socket)) !== 'hellobye') throw new Error('no echo')
  return 1
}

async function passthrough({ site, authority }: World): Promise<number> {
  const socket = connectTls({ host: site.address, port: ports.https, servername: hosts.passthrough, ca: authority })
  socket.write(`GET /bytes/10000 HTTP/1.1\r\nHost: ${hosts.passthrough}\r\nConnection: close\r\n\r\n`)
  if (!(await textOf(socket)).startsWith('HTTP/1.1 200')) throw new Error('no answer')
  return 1
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

/** Connects, sends, reads the first of what comes if anything comes soon, and leaves. */
async function leave({ site }: World, text: string, port: number = ports.http): Promise<number> {
  const socket = connectTcp(port, site.address)
  // To be cut off is what it is there for.
  socket.on('error', () => {})
  socket.write(text, 'latin1')
  await Promise.race([once(socket, 'data').catch(() => {}), once(socket, 'close'), sleep(pace)])
  socket.destroy()
  return 1
}

process.on('exit', () => grpc?.close())
