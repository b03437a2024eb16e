/** Routes that have series of their own; what comes later is counted under "other". */
const most = 5_000

/** Names of routes in metrics: as many as a process ever tells apart. */
export class RouteNames {
  readonly #known = new Set<string>()

  of(route: string): string {
    if (this.#known.size >= most && !this.#known.has(route)) return 'other'
    this.#known.add(route)
    return route
  }
}
