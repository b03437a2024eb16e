import { Counter, Histogram, type Registry } from 'prom-client'
import type { Matched } from '../engine/decision.ts'
import { durationBounds, RequestSeries } from './request-series.ts'
import type { RouteNames } from './route-names.ts'

type Values = Awaited<ReturnType<Histogram<string>['get']>>

interface Labelled {
  readonly gateway: string
  readonly route: string
  readonly series: RequestSeries
}

/**
 * Requests and their durations by rule. prom-client looks up labels for each observation, which takes more than all else that
 * a request of many routes costs; so they are counted here, and given to it when somebody asks.
 */
export class RequestMetrics {
  readonly #names: RouteNames
  /** By gateway and name of the route; it outlives tables. */
  readonly #labelled = new Map<string, Labelled>()
  /** A table's Matched objects never change. */
  readonly #series = new WeakMap<Matched, RequestSeries>()

  constructor(registry: Registry, names: RouteNames) {
    this.#names = names
    const all = this.#labelled
    const registers = [registry]
    new Counter({
      name: 'landfall_requests_total',
      help: 'Requests answered, by route and status code; code 0: the client left before.',
      labelNames: ['gateway', 'route', 'code'],
      registers,
      collect() {
        this.reset()
        for (const { gateway, route, series } of all.values())
          for (const [code, count] of series.statuses) this.inc({ gateway, route, code }, count)
      },
    })
    new Durations(all, registry)
  }

  /** `matched`: undefined where no rule was met. */
  of(gateway: string, matched: Matched | undefined): RequestSeries {
    if (matched === undefined) return this.#labelledBy(gateway, '')
    let series = this.#series.get(matched)
    if (series === undefined) {
      series = this.#labelledBy(gateway, this.#names.of(matched.route))
      this.#series.set(matched, series)
    }
    return series
  }

  #labelledBy(gateway: string, route: string): RequestSeries {
    const key = `${gateway} ${route}`
    const known = this.#labelled.get(key) ?? { gateway, route, series: new RequestSeries() }
    this.#labelled.set(key, known)
    return known.series
  }
}

/** A histogram that is counted elsewhere. */
class Durations extends Histogram<'gateway' | 'route'> {
  readonly #all: ReadonlyMap<string, Labelled>
  readonly #head: Pick<Values, 'name' | 'help'>

  constructor(all: ReadonlyMap<string, Labelled>, registry: Registry) {
    const head = {
      name: 'landfall_request_duration_seconds',
      help: 'From the head of a request to the end of its answer.',
    }
    super({ ...head, labelNames: ['gateway', 'route'], buckets: [...durationBounds], registers: [registry] })
    this.#all = all
    this.#head = head
  }

  override async get(): Promise<Values> {
    const values = [...this.#all.values()].flatMap((labelled) => this.#valuesOf(labelled))
    return { ...(await super.get()), ...this.#head, values }
  }

  #valuesOf({ gateway, route, series }: Labelled): Values['values'] {
    const labels = { gateway, route }
    const { name } = this.#head
    const cumulated = series.cumulated()
    return [
      ...cumulated.map((value, bucket) => ({
        metricName: `${name}_bucket`,
        labels: { le: durationBounds[bucket] ?? '+Inf', ...labels },
        value,
      })),
      { metricName: `${name}_sum`, labels, value: series.sum },
      { metricName: `${name}_count`, labels, value: cumulated.at(-1) ?? 0 },
    ]
  }
}
