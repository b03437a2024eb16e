import type { TablesStatus } from './tables.ts'

/** Series of one metric that are kept apart; what comes later is counted under route="other". */
const maxSeries = 5_000

/** Answers of one route with one status code. A route has few codes, so they are a list: a request looks at one object. */
interface Series {
  readonly status: number
  count: number
  readonly next: Series | undefined
}

/** Counters of one isolate, in the Prometheus text format (version 0.0.4). */
export class Metrics {
  /** By Gateway and route. */
  readonly #requests = new Map<string, Map<string, Series>>()
  #series = 0

  /** `route` is "" where none was reached. */
  request(gateway: string, route: string, status: number): void {
    let series = this.#requests.get(gateway)?.get(route)
    while (series !== undefined && series.status !== status) series = series.next
    if (series !== undefined) series.count++
    else if (this.#series < maxSeries || route === 'other') this.#begin(gateway, route, status)
    else this.request(gateway, 'other', status)
  }

  #begin(gateway: string, route: string, status: number): void {
    this.#series++
    const routes = this.#requests.get(gateway) ?? new Map<string, Series>()
    this.#requests.set(gateway, routes.set(route, { status, count: 1, next: routes.get(route) }))
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
      for (const [route, first] of routes)
        for (let series: Series | undefined = first; series !== undefined; series = series.next)
          yield `landfall_requests_total{gateway="${gateway}",route="${route}",code="${series.status}"} ${series.count}`
  }
}
