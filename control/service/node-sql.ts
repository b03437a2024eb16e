import { DatabaseSync } from 'node:sqlite'
import type { Row, Sql, Statement } from './sql.ts'
import { sqlError } from './sql.ts'

/** Milliseconds that another process may hold the database. */
const patience = 5_000

/** SQLite in a file, by Node's own module. Several processes may have it open. What `write` has acknowledged outlives a loss of power. */
export class NodeSql implements Sql {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>()

  /** `path`: of the file, or ":memory:". */
  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    this.#database.exec(`PRAGMA busy_timeout = ${patience}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
  }

  async all({ text, values }: Statement): Promise<readonly Row[]> {
    return this.#prepare(text).all(...values) as readonly Row[]
  }

  async write(statements: readonly Statement[]): Promise<void> {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const { text, values } of statements) this.#prepare(text).run(...values)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw sqlError(error)
    }
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #prepare(text: string): ReturnType<DatabaseSync['prepare']> {
    const prepared = this.#prepared.get(text) ?? this.#database.prepare(text)
    this.#prepared.set(text, prepared)
    return prepared
  }
}
