/** Upper bounds of the buckets of durations, in seconds. */
export const durationBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** What is counted of the requests of one rule. A front end does so for each request, so it costs little memory traffic. */
export class RequestSeries {
  /** By bucket, not summed up; the last: above all bounds. */
  readonly #buckets = new Float64Array(durationBounds.length + 1)
  readonly #statuses = new Map<number, number>()
  #sum = 0

  count(status: number, seconds: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    let bucket = 0
    while (seconds > (durationBounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#sum += seconds
  }

  /** Requests by status. */
  get statuses(): ReadonlyMap<number, number> {
    return this.#statuses
  }

  /** Of all requests, in seconds. */
  get sum(): number {
    return this.#sum
  }

  /** How many took at most each of durationBounds, and last how many there are. */
  cumulated(): readonly number[] {
    let count = 0
    return Array.from(this.#buckets, (requests) => {
      count += requests
      return count
    })
  }
}
