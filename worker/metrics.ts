import type { TablesStatus } from './tables.ts'

/** Series of one metric that are kept apart; what comes later is counted under route="other". */
const maxSeries = 5_000

/** Counters of one isolate, in the Prometheus text format (version 0.0.4). */
export class Metrics {
  readonly #requests = new Map<string, number>()

  /** `route` is "" where none was reached. */
  request(gateway: string, route: string, status: number): void {
    const labels = `gateway="${gateway}",route="${route}",code="${status}"`
    const count = this.#requests.get(labels)
    if (count !== undefined) this.#requests.set(labels, count + 1)
    else if (this.#requests.size < maxSeries) this.#requests.set(labels, 1)
    else if (route !== 'other') this.request(gateway, 'other', status)
  }

  text(tables: TablesStatus): string {
    const lines = [
      '# HELP landfall_requests_total Requests answered, by route and status code.',
      '# TYPE landfall_requests_total counter',
      ...[...this.#requests].map(([labels, count]) => `landfall_requests_total{${labels}} ${count}`),
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
}
