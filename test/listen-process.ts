// A process that listens with a free share of a port, for tests of what only whole processes do. Its first argument is the
// port, 0 for any; it says which over IPC. There it is asked for the milliseconds of processor time that it has used
// ("cpu"), and told to close as it would when it is replaced, and to exit ("stop").
import { BlockList } from 'node:net'
import process from 'node:process'
import { EndpointBalancer } from '../engine/endpoints.ts'
import { Certificates } from '../standalone/certificates.ts'
import type { Handler } from '../standalone/handler.ts'
import { createHttp1Server } from '../standalone/http1-server/http1-server.ts'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import type { Bind } from '../standalone/listen/bind.ts'
import { Listen } from '../standalone/listen/listen.ts'
import { createConnect } from '../standalone/origin-socket/origin-socket.ts'
import { TlsTermination } from '../standalone/tls-termination.ts'

/** Answers with its process. */
const tell: Handler = (_request, sink) => ({
  write: () => true,
  end: () => {
    const body = Buffer.from(`${process.pid}`)
    sink.head(200, '', ['content-length', `${body.length}`])
    sink.data(body)
    sink.end([])
  },
  resume: () => {},
  abort: () => {},
})

const quiet = (): void => {}
const http1 = createHttp1Server({ handler: tell, log: quiet })
const http2 = createHttp2Server({ handler: tell, log: quiet, webSocketKey: () => '' })
const listen = new Listen({
  termination: new TlsTermination({
    certificates: new Certificates(quiet),
    ticketSecret: Buffer.from('secret'),
    now: Date.now,
  }),
  tunnels: {
    balancer: new EndpointBalancer(),
    connect: createConnect(() => undefined),
    now: () => performance.now(),
    random: Math.random,
  },
  balancers: new BlockList(),
  reusePort: true,
  observe: quiet,
  log: (event, fields) => console.error(event, fields),
})
const bind: Bind = {
  type: 'http',
  address: '127.0.0.1',
  port: Number(process.argv[2]),
  listenerPort: 80,
  http1,
  http2,
}
const faults = await listen.set([bind])
process.send?.({ port: listen.portOf(bind), faults })

process.on('message', async (order) => {
  if (order === 'cpu') {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: (user + system) / 1000 })
    return
  }
  await listen.stop(5_000)
  await Promise.all([listen.close(5_000), http1.close(5_000), http2.close(5_000)])
  process.exit()
})
