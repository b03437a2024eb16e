import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Access } from './access.ts'
import type { ConnectionReport } from './listen/report.ts'
import { RequestMetrics } from './request-metrics.ts'
import { RouteNames } from './route-names.ts'
import type { UdpReport } from './udp/report.ts'

/** What the data plane counts, for Prometheus. */
export class Metrics {
  readonly registry = new Registry()
  readonly #requests: RequestMetrics
  readonly #faults: Counter<'gateway' | 'why'>
  readonly #retries: Counter<'gateway'>
  readonly #connections: Counter<'gateway' | 'route' | 'ending'>
  readonly #tunnelBytes: Counter<'gateway' | 'direction'>
  readonly #sessions: Counter<'gateway' | 'route' | 'ending'>
  readonly #datagrams: Counter<'gateway' | 'direction'>
  readonly #tables: Gauge<'gateway' | 'version'>
  readonly #names = new RouteNames()

  constructor() {
    const registers = [this.registry]
    this.#requests = new RequestMetrics(this.registry, this.#names)
    this.#faults = new Counter({
      name: 'landfall_faults_total',
      help: 'Requests that Landfall itself answered, or whose answer broke off, by why.',
      labelNames: ['gateway', 'why'],
      registers,
    })
    this.#retries = new Counter({
      name: 'landfall_retries_total',
      help: 'Tries after the first.',
      labelNames: ['gateway'],
      registers,
    })
    this.#connections = new Counter({
      name: 'landfall_connections_total',
      help: 'Connections that carried no HTTP for Landfall to read: passed on, or refused, by how they ended.',
      labelNames: ['gateway', 'route', 'ending'],
      registers,
    })
    this.#tunnelBytes = new Counter({
      name: 'landfall_tunnel_bytes_total',
      help: 'Bytes passed on from clients (received) and to them (sent).',
      labelNames: ['gateway', 'direction'],
      registers,
    })
    this.#sessions = new Counter({
      name: 'landfall_udp_sessions_total',
      help: 'Sessions of UDP by how they ended, and datagrams that began none by why.',
      labelNames: ['gateway', 'route', 'ending'],
      registers,
    })
    this.#datagrams = new Counter({
      name: 'landfall_udp_datagrams_total',
      help: 'Datagrams of sessions that have ended, from clients (received) and to them (sent).',
      labelNames: ['gateway', 'direction'],
      registers,
    })
    this.#tables = new Gauge({
      name: 'landfall_table_info',
      help: 'The table that serves each Gateway.',
      labelNames: ['gateway', 'version'],
      registers,
    })
    collectDefaultMetrics({ register: this.registry })
  }

  count({ gateway, matched, status, why, tries, duration }: Access): void {
    this.#requests.of(gateway, matched).count(status, duration / 1000)
    if (why !== undefined) this.#faults.inc({ gateway, why })
    if (tries > 1) this.#retries.inc({ gateway }, tries - 1)
  }

  /** A connection that is no front end's, once it is over. */
  countConnection(report: ConnectionReport): void {
    const { gateway, matched } = report
    const ending = report.type === 'tunnel' ? report.tunnel.ending : report.why
    this.#connections.inc({ gateway, route: this.#names.of(matched?.route ?? ''), ending })
    if (report.type !== 'tunnel') return
    this.#tunnelBytes.inc({ gateway, direction: 'received' }, report.tunnel.bytesReceived)
    this.#tunnelBytes.inc({ gateway, direction: 'sent' }, report.tunnel.bytesSent)
  }

  /** A session of UDP once it is over, or a datagram that began none. */
  countDatagrams(report: UdpReport): void {
    const gateway = report.type === 'session' ? report.gateway : ''
    const route = report.type === 'session' ? this.#names.of(report.matched.route) : ''
    this.#sessions.inc({ gateway, route, ending: report.type === 'session' ? report.ending : report.why })
    if (report.type !== 'session') return
    this.#datagrams.inc({ gateway, direction: 'received' }, report.datagramsReceived)
    this.#datagrams.inc({ gateway, direction: 'sent' }, report.datagramsSent)
  }

  /** Names the tables that serve now. */
  serve(tables: readonly { readonly gateway: string; readonly version: string }[]): void {
    this.#tables.reset()
    for (const { gateway, version } of tables) this.#tables.set({ gateway, version }, 1)
  }
}
