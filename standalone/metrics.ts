import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Matched } from '../engine/decision.ts'
import type { Access } from './access.ts'
import type { ConnectionReport } from './listen/report.ts'
import type { UdpReport } from './udp/report.ts'

/** Series of one metric that are kept apart by route; what comes later is counted under route="other". */
const maxRoutes = 5_000

/** Seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Where the requests of one rule are counted. */
interface Series {
  readonly duration: Histogram.Internal<string>
  /** By status. */
  readonly requests: Map<number, Counter.Internal>
}

/** What the data plane counts, for Prometheus. */
export class Metrics {
  readonly registry = new Registry()
  readonly #requests: Counter<'gateway' | 'route' | 'code'>
  readonly #duration: Histogram<'gateway' | 'route'>
  readonly #faults: Counter<'gateway' | 'why'>
  readonly #retries: Counter<'gateway'>
  readonly #connections: Counter<'gateway' | 'route' | 'ending'>
  readonly #tunnelBytes: Counter<'gateway' | 'direction'>
  readonly #sessions: Counter<'gateway' | 'route' | 'ending'>
  readonly #datagrams: Counter<'gateway' | 'direction'>
  readonly #tables: Gauge<'gateway' | 'version'>
  /** A table's Matched objects never change. */
  readonly #series = new WeakMap<Matched, Series>()
  readonly #routes = new Set<string>()

  constructor() {
    const registers = [this.registry]
    this.#requests = new Counter({
      name: 'landfall_requests_total',
      help: 'Requests answered, by route and status code; code 0: the client left before.',
      labelNames: ['gateway', 'route', 'code'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'landfall_request_duration_seconds',
      help: 'From the head of a request to the end of its answer.',
      labelNames: ['gateway', 'route'],
      buckets,
      registers,
    })
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
    const series = matched === undefined ? this.#make(gateway, '') : this.#of(gateway, matched)
    let requests = series.requests.get(status)
    if (requests === undefined) {
      requests = this.#requests.labels(gateway, this.#name(matched?.route ?? ''), `${status}`)
      series.requests.set(status, requests)
    }
    requests.inc()
    series.duration.observe(duration / 1000)
    if (why !== undefined) this.#faults.inc({ gateway, why })
    if (tries > 1) this.#retries.inc({ gateway }, tries - 1)
  }

  /** A connection that is no front end's, once it is over. */
  countConnection(report: ConnectionReport): void {
    const { gateway, matched } = report
    const ending = report.type === 'tunnel' ? report.tunnel.ending : report.why
    this.#connections.inc({ gateway, route: this.#name(matched?.route ?? ''), ending })
    if (report.type !== 'tunnel') return
    this.#tunnelBytes.inc({ gateway, direction: 'received' }, report.tunnel.bytesReceived)
    this.#tunnelBytes.inc({ gateway, direction: 'sent' }, report.tunnel.bytesSent)
  }

  /** A session of UDP once it is over, or a datagram that began none. */
  countDatagrams(report: UdpReport): void {
    const gateway = report.type === 'session' ? report.gateway : ''
    const route = report.type === 'session' ? this.#name(report.matched.route) : ''
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

  #of(gateway: string, matched: Matched): Series {
    let series = this.#series.get(matched)
    if (series === undefined) {
      series = this.#make(gateway, this.#name(matched.route))
      this.#series.set(matched, series)
    }
    return series
  }

  #make(gateway: string, route: string): Series {
    return { duration: this.#duration.labels(gateway, route), requests: new Map() }
  }

  #name(route: string): string {
    if (this.#routes.size >= maxRoutes && !this.#routes.has(route)) return 'other'
    this.#routes.add(route)
    return route
  }
}
