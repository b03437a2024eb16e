import { Refusal } from './refusal.ts'
import { type Sql, sql } from './sql.ts'
import { OwnTurns, type Turns } from './turns.ts'

/** Milliseconds that a turn lasts when its holder is not heard of any more; longer than a Worker may take for a request. */
const lease = 60_000
/** Milliseconds between looks whether it is free, and of all of them. */
const pause = 250
const patience = 20_000

interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly wait: (milliseconds: number) => Promise<void>
}

/** One push at a time among all that share a database, such as the isolates of a Worker. */
export class LeasedTurns implements Turns {
  readonly #own = new OwnTurns()
  readonly #sql: Sql
  readonly #holder: string
  readonly #clock: Clock

  /** `holder`: a name that no other has. */
  constructor(database: Sql, holder: string, clock: Clock) {
    this.#sql = database
    this.#holder = holder
    this.#clock = clock
  }

  run<T>(job: () => Promise<T>): Promise<T> {
    return this.#own.run(async () => {
      await this.#take()
      try {
        return await job()
      } finally {
        await this.#sql.write([sql('DELETE FROM turn WHERE holder = ?', this.#holder)])
      }
    })
  }

  async #take(): Promise<void> {
    const { now, wait } = this.#clock
    for (const since = now(); ; await wait(pause)) {
      const until = now() + lease
      await this.#sql.write([
        sql(
          `INSERT INTO turn (id, holder, until) VALUES (1, ?, ?)
           ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE turn.until < ?`,
          this.#holder,
          until,
          now(),
        ),
      ])
      const [row] = await this.#sql.all(sql('SELECT holder FROM turn WHERE id = 1'))
      if (row?.holder === this.#holder) return
      if (now() - since > patience) {
        throw new Refusal(503, 'busy', 'another push is under way', { retryAfter: 5 })
      }
    }
  }
}
