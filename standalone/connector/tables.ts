import type { ConnectorTable } from './table.ts'

/**
 * The newest table, and for a while those before it: a Worker hears of a change later, and until then sends to endpoints, and in
 * ways of TLS, that are no more.
 */
export class ConnectorTables implements ConnectorTable {
  readonly #retention: number
  readonly #now: () => number
  /** The newest first. */
  #tables: { readonly table: ConnectorTable; until: number }[] = []

  /** Both in milliseconds. */
  constructor(retention: number, now: () => number) {
    this.#retention = retention
    this.#now = now
  }

  set(table: ConnectorTable): void {
    const now = this.#now()
    for (const before of this.#tables) before.until = Math.min(before.until, now + this.#retention)
    // As many as change within the time that counts; of a flood of changes, the last.
    const kept = this.#tables.filter(({ until }) => until > now).slice(0, maxTables - 1)
    this.#tables = [{ table, until: Number.POSITIVE_INFINITY }, ...kept]
  }

  readonly endpoints = {
    has: (key: string): boolean => this.#first(({ endpoints }) => endpoints.has(key) || undefined) ?? false,
  }
  readonly tls = { get: (name: string) => this.#first(({ tls }) => tls.get(name)) }
  /** Of the newest only: a Secret that is replaced is not shown any more. */
  readonly keyPairs = { get: (name: string) => this.#tables[0]?.table.keyPairs.get(name) }

  #first<T>(find: (table: ConnectorTable) => T | undefined): T | undefined {
    const now = this.#now()
    for (const { table, until } of this.#tables) {
      const found = until > now ? find(table) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
}

const maxTables = 16
