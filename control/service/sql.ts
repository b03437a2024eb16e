export type SqlValue = string | number | null
export type Row = Readonly<Record<string, SqlValue>>

/** A statement of SQLite, with a value for each "?". */
export interface Statement {
  readonly text: string
  readonly values: readonly SqlValue[]
}

/** A database that speaks SQLite's SQL: Node's own, or D1. Rows and values hold at most 2 MB, values are at most 100: D1's limits
 *  (https://developers.cloudflare.com/d1/platform/limits/). */
export interface Sql {
  all(statement: Statement): Promise<readonly Row[]>
  /** All of them take effect, or none. Rejects with a ConflictError where a row with that key is there already. */
  write(statements: readonly Statement[]): Promise<void>
  close(): Promise<void>
}

/** Somebody else wrote first. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
}

export const sql = (text: string, ...values: readonly SqlValue[]): Statement => ({ text, values })

/** What the adapters throw, as a ConflictError where it is one. */
export function sqlError(error: unknown): unknown {
  const isConflict = error instanceof Error && /UNIQUE constraint failed/.test(error.message)
  return isConflict ? new ConflictError(error.message, { cause: error }) : error
}
