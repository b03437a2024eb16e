import type { AuditHead } from './answers.ts'
import type { Audit, Deed } from './audit.ts'
import type { History } from './history.ts'
import { Refusal } from './refusal.ts'
import { ConflictError, type Sql, type Statement } from './sql.ts'

/** Times that a deed is written down anew because another entry of the audit log came first. */
const tries = 10

/** Does things together with writing them down. */
export class Ledger {
  readonly #sql: Sql
  readonly #audit: Audit
  readonly #history: History

  constructor(database: Sql, audit: Audit, history: History) {
    this.#sql = database
    this.#audit = audit
    this.#history = history
  }

  /** All statements and the entry, or none; `more` are those that tell of the entry. Refuses to make a version that is there
   *  already. */
  async write(
    deed: Deed,
    statements: readonly Statement[] = [],
    more: (head: AuditHead) => readonly Statement[] = () => [],
  ): Promise<AuditHead> {
    for (let attempt = 1; ; attempt++) {
      const { statement, head } = await this.#audit.entry(deed)
      try {
        await this.#sql.write([...statements, statement, ...more(head)])
        return head
      } catch (error) {
        if (!(error instanceof ConflictError) || attempt === tries) throw error
        const isMade = deed.action === 'push' || deed.action === 'rollback'
        const [latest] = isMade ? await this.#history.versions(deed.set) : []
        if (latest === undefined || latest.version < deed.version) continue
        const detail = `the set is at version ${latest.version}: another push came first`
        throw new Refusal(412, 'other-version', detail, { version: latest.version })
      }
    }
  }
}
