import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { BlockList, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { EndpointBalancer } from '../engine/endpoints.ts'
import { Streams } from '../engine/streams.ts'
import { type Listener, Protocol, type Tls } from '../proto/gen/route_table.ts'
import { Certificates } from '../standalone/certificates.ts'
import type { FrontEnd } from '../standalone/front-end/front-end.ts'
import type { Handler } from '../standalone/handler.ts'
import { createHttp1Server } from '../standalone/http1-server/http1-server.ts'
import { createHttp2Server } from '../standalone/http2-server/http2-server.ts'
import type { Bind } from '../standalone/listen/bind.ts'
import { Listen, type ListenLimits } from '../standalone/listen/listen.ts'
import type { ConnectionReport } from '../standalone/listen/report.ts'
import { createConnect } from '../standalone/origin-socket/origin-socket.ts'
import { TlsTermination } from '../standalone/tls-termination.ts'
import { issue } from './certificates.ts'
import { host, listener, ref, routerOf, rule, type TableParts } from './engine-tables.ts'

/** Answers with what it was told of the client. */
const tell: Handler = ({ version, target, peer, port, scheme }, sink) => {
  const about = { version, target, port, scheme, address: peer.address, serverName: peer.tls?.serverName }
  return {
    write: () => true,
    end: () => {
      const body = Buffer.from(JSON.stringify(about))
      sink.head(200, '', ['content-length', `${body.length}`])
      sink.data(body)
      sink.end([])
    },
    resume: () => {},
    abort: () => {},
  }
}

export interface Rig {
  readonly listen: Listen
  readonly reports: readonly ConnectionReport[]
  readonly frontEnds: { readonly http1: FrontEnd; readonly http2: FrontEnd }
  readonly certificates: Certificates
  /** The rest of a bind, and the port that it comes to. */
  bind(bind: BindParts): Promise<number>
  /** Sets the same bind once more. */
  again(): Promise<readonly string[]>
  why(): string[]
}

type BindParts =
  | { readonly type: 'http' }
  | { readonly type: 'tls' | 'tcp'; readonly streams: () => readonly Streams[] }

export function startRig(limits: Partial<ListenLimits> = {}, balancers = new BlockList()): Rig {
  const log = (event: string): void => {
    throw new Error(event)
  }
  const http1 = createHttp1Server({ handler: tell, log: () => {} })
  const http2 = createHttp2Server({ handler: tell, log: () => {}, webSocketKey: () => '' })
  const certificates = new Certificates(log)
  certificates.set(pairs)
  const reports: ConnectionReport[] = []
  let drawn = 0
  const listen = new Listen({
    termination: new TlsTermination({ certificates, ticketSecret: Buffer.from('secret'), now: Date.now }),
    tunnels: {
      balancer: new EndpointBalancer(),
      connect: createConnect(() => undefined),
      now: () => performance.now(),
      random: () => (drawn++ % 8) / 8,
    },
    balancers,
    reusePort: false,
    observe: (report) => reports.push(report),
    log,
    limits,
  })
  onTestFinished(async () => {
    await Promise.all([listen.close(0), http1.close(0), http2.close(0)])
  })
  let binds: readonly Bind[] = []
  return {
    listen,
    reports,
    frontEnds: { http1, http2 },
    certificates,
    bind: async (parts) => {
      const bind: Bind = { address: '127.0.0.1', port: 0, listenerPort: 443, http1, http2, ...parts }
      binds = [bind]
      expect(await listen.set(binds)).toEqual([])
      return listen.portOf(bind) ?? 0
    },
    again: () => listen.set(binds),
    why: () => reports.map((report) => (report.type === 'refused' ? report.why : report.tunnel.ending)),
  }
}

export const pair = issue({ subject: 'test', names: ['DNS:*.example'] })
const pairs = new Map([['a/cert', pair]])
export const terminate: Tls = { passthrough: false, certificates: ['a/cert'], clients: undefined }
export const passthrough: Tls = { passthrough: true, certificates: [], clients: undefined }

export const https = (id: string, hostname: string, changes: Partial<Listener> = {}): Listener =>
  listener({ id, hostname, port: 443, protocol: Protocol.HTTPS, tls: terminate, ...changes })
export const tls = (id: string, hostname: string, of: Tls): Listener =>
  https(id, hostname, { protocol: Protocol.TLS, tls: of })
export const stream = (id: string, hostname: string, key: string) =>
  host({ listener: id, hostname, rules: [rule({ route: 'TLSRoute a/b', backends: [ref({ backend: key })] })] })

export const streamsOf = (parts: TableParts): Streams => new Streams(routerOf(parts).table)

export const request = 'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
export const jsonOf = (response: string): Record<string, unknown> => JSON.parse(response.slice(response.indexOf('{')))

/** Sends bytes one at a time, each on its own. */
export async function drip(socket: Socket, bytes: Uint8Array): Promise<void> {
  socket.setNoDelay(true)
  for (const byte of bytes) {
    socket.write(Buffer.of(byte))
    await sleep(0)
  }
}

/** Bytes of a ClientHello that curl has sent. */
export const recordedHello = (): Buffer => readFileSync(join(import.meta.dirname, 'corpus/client-hello/curl.bin'))

/** What a server tells curl of it, over HTTP/2 or HTTP/1.1 as its options say. */
export async function curl(options: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run('curl', options)
  return JSON.parse(stdout)
}

const run = promisify(execFile)
