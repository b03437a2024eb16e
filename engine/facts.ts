/** What the engine may know of one request. Each data plane fills this in from its own request type. */
export interface RequestFacts {
  readonly scheme: 'http' | 'https'
  /** The authority as the client sent it; a port in it is ignored in matching. */
  readonly authority: string
  /** The port that the connection came to; undefined where the platform hides it (then any listener port will do). */
  readonly port: number | undefined
  readonly method: string
  /** Begins with "/", as it will be sent upstream: percent-encoded, without the query. */
  readonly path: string
  /** Without the "?"; "" when there is none. */
  readonly query: string
  /** Value of a header by its lower-case name; several lines joined by a comma, with or without a space behind it. */
  header(name: string): string | undefined
}
