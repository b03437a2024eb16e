import { z } from 'zod'
import type { Row, Sql, SqlValue, Statement } from './sql.ts'
import { sqlError } from './sql.ts'

/** As much of a D1 binding as is used here. */
export interface D1 {
  prepare(text: string): D1Statement
  batch(statements: D1Statement[]): Promise<unknown>
}

interface D1Statement {
  bind(...values: SqlValue[]): D1Statement
  all(): Promise<{ readonly results: readonly unknown[] }>
}

const rows = z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()])))

/** Cloudflare's D1. A batch is a transaction. */
export class D1Sql implements Sql {
  readonly #database: D1

  constructor(database: D1) {
    this.#database = database
  }

  async all({ text, values }: Statement): Promise<readonly Row[]> {
    const { results } = await this.#database
      .prepare(text)
      .bind(...values)
      .all()
    return rows.parse(results)
  }

  async write(statements: readonly Statement[]): Promise<void> {
    if (statements.length === 0) return
    try {
      await this.#database.batch(statements.map(({ text, values }) => this.#database.prepare(text).bind(...values)))
    } catch (error) {
      throw sqlError(error)
    }
  }

  async close(): Promise<void> {}
}
