import { hash } from 'node:crypto'
import type { AuditEntry, AuditHead } from './answers.ts'
import { auditEntry } from './answers.ts'
import { type Row, type Sql, type Statement, sql } from './sql.ts'

/** What is to be written down. */
export type Deed = Pick<AuditEntry, 'actor' | 'action' | 'set' | 'version' | 'digest' | 'note'>

/** Before the first entry. */
export const noHead: AuditHead = { sequence: 0, hash: '0'.repeat(64) }

/** Entries of one page of the log. */
export const auditPage = 500

/**
 * A log whose every entry holds the hash of the one before, so that none can be changed, left out or put in between unless all that
 * follow are written anew. That, and an end that was cut off, show to whoever has kept a later head: every push answers with one.
 */
export class Audit {
  readonly #sql: Sql
  readonly #now: () => number

  constructor(database: Sql, now: () => number) {
    this.#sql = database
    this.#now = now
  }

  async head(): Promise<AuditHead> {
    const [row] = await this.#sql.all(sql('SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1'))
    return row === undefined ? noHead : { sequence: Number(row.sequence), hash: String(row.hash) }
  }

  /** To be written together with what was done: a ConflictError says that another entry came first. */
  async entry(deed: Deed): Promise<{ readonly statement: Statement; readonly head: AuditHead }> {
    const last = await this.head()
    const sequence = last.sequence + 1
    const entry = { sequence, at: new Date(this.#now()).toISOString(), ...deed, previous: last.hash }
    const head = { sequence, hash: hashOf(entry) }
    const text = JSON.stringify(entry)
    return {
      statement: sql('INSERT INTO audit (sequence, entry, hash) VALUES (?, ?, ?)', sequence, text, head.hash),
      head,
    }
  }

  /** Up to auditPage entries behind the one with this sequence. */
  async after(sequence: number): Promise<readonly AuditEntry[]> {
    const query = sql('SELECT entry, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?', sequence, auditPage)
    return (await this.#sql.all(query)).map(read)
  }
}

const read = ({ entry, hash }: Row): AuditEntry => auditEntry.parse({ ...JSON.parse(String(entry)), hash })

/** Over all fields but the hash itself, in this order, as JSON. */
export function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { sequence, at, actor, action, set, version, digest, note, previous } = entry
  return hash('sha256', JSON.stringify([sequence, at, actor, action, set, version, digest, note, previous]))
}
