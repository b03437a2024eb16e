import { type Sql, type Statement, sql } from './sql.ts'

/** Milliseconds that an answer is kept for the same request again. */
const keptFor = 24 * 3600 * 1000
/** Characters of the largest answer that is kept: a row of D1 holds 2 MB. */
const maxAnswer = 1_500_000

/** A request that may come again, because nobody knows whether the first one was heard. */
export interface RequestKey {
  /** Id of the token. */
  readonly token: string
  /** The Idempotency-Key. */
  readonly key: string
}

export interface Answered {
  /** What was asked: another request with the same key is a mistake. */
  readonly request: string
  /** The version that came of it. */
  readonly version: number
  /** JSON; undefined where the request did not come to its end. */
  readonly answer: string | undefined
}

/** Answers to requests with an Idempotency-Key. */
export class Answers {
  readonly #sql: Sql
  readonly #now: () => number

  constructor(database: Sql, now: () => number) {
    this.#sql = database
    this.#now = now
  }

  async find({ token, key }: RequestKey): Promise<Answered | undefined> {
    const query = 'SELECT request, version, answer FROM answers WHERE token = ? AND request_key = ? AND made_at > ?'
    const [row] = await this.#sql.all(sql(query, token, key, this.#now() - keptFor))
    if (row === undefined) return undefined
    const answer = typeof row.answer === 'string' ? row.answer : undefined
    return { request: String(row.request), version: Number(row.version), answer }
  }

  /** The statements that keep it, in place of an earlier one. */
  keep({ token, key }: RequestKey, set: string, { request, version, answer }: Answered): readonly Statement[] {
    const now = this.#now()
    return [
      sql('DELETE FROM answers WHERE made_at <= ?', now - keptFor),
      sql(
        `INSERT OR REPLACE INTO answers (token, request_key, request, set_name, version, made_at, answer)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        token,
        key,
        request,
        set,
        version,
        now,
        answer === undefined || answer.length > maxAnswer ? null : answer,
      ),
    ]
  }
}
