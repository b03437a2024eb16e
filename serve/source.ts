import type { Reading } from '../control/project.ts'
import type { Feed } from '../standalone/feed.ts'

/** What to serve now. */
export interface Supply {
  readonly feed: Feed
  /** What cannot be served, as sentences. */
  readonly faults: readonly string[]
  /** undefined where the tables come from a store. */
  readonly reading: Reading | undefined
}

/** Where tables come from. */
export interface Source {
  /** Gives what is to be served, now and whenever it changes, never twice at a time. Rejects when there is nothing at all. */
  follow(take: (supply: Supply) => Promise<void>): Promise<void>
  close(): Promise<void>
}
