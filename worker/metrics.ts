import type { TablesStatus } from './tables.ts'

/** Series of one metric that are kept apart; what comes later is counted under route="other". */
const maxSeries = 5_000

/** Counters of one isolate, in the Prometheus text format (version 0.0.4). */
export class Metrics {
  /** By Gateway, route and status code. */
  readonly #requests = new Map<string, Map<string, Map<number, number>>>()
  #series = 0

  /** `route` is "" where none was reached. */
  request(gateway: string, route: string, status: number): void {
    const codes = this.#requests.get(gateway)?.get(route)
    const count = codes?.get(status)
    if (codes !== undefined && count !== undefined) codes.set(status, count + 1)
    else if (this.#series < maxSeries || route === 'other') this.#begin(gateway, route, status)
    else this.request(gateway, 'other', status)
  }

  #begin(gateway: string, route: string, status: number): void {
    this.#series++
    const routes = this.#requests.get(gateway) ?? new Map<string, Map<number, number>>()
    const codes = routes.get(route) ?? new Map<number, number>()
    this.#requests.set(gateway, routes.set(route, codes.set(status, 1)))
  }

  text(tables: TablesStatus): string {
    const lines = [
      '# HELP landfall_requests_total Requests answered, by route and status code.',
      '# TYPE landfall_requests_total counter',
      ...this.#requestLines(),
      '# HELP landfall_table_info The table that serves each Gateway.',
      '# TYPE landfall_table_info gauge',
      ...tables.gateways.map(
        ({ gateway, version }) => `landfall_table_info{gateway="${gateway}",version="${version}"} 1`,
      ),
      '# HELP landfall_table_loaded_timestamp_seconds When the store was last read without a failure.',
      '# TYPE landfall_table_loaded_timestamp_seconds gauge',
      `landfall_table_loaded_timestamp_seconds ${tables.loadedAt / 1000}`,
      '# HELP landfall_table_problems What keeps a newer table from being served, or parts of this one.',
      '# TYPE landfall_table_problems gauge',
      `landfall_table_problems ${tables.problems.length}`,
    ]
    return `${lines.join('\n')}\n`
  }

  *#requestLines(): Generator<string> {
    for (const [gateway, routes] of this.#requests)
      for (const [route, codes] of routes)
        for (const [code, count] of codes)
          yield `landfall_requests_total{gateway="${gateway}",route="${route}",code="${code}"} ${count}`
  }
}
