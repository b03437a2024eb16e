import { hash, timingSafeEqual } from 'node:crypto'
import type { Audit } from './audit.ts'
import { type Row, type Sql, type Statement, sql } from './sql.ts'

/** What a token may be for. push includes neither rollback nor plan: each is given by name. */
export const verbs = ['read', 'plan', 'push', 'rollback', 'audit'] as const
export type Verb = (typeof verbs)[number]

/** What is known of a token; the secret is not. */
export interface Token {
  readonly id: string
  readonly name: string
  /** Names of sets; "*" for all. */
  readonly sets: readonly string[]
  readonly verbs: readonly Verb[]
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  readonly expiresAt: number | undefined
  readonly revokedAt: number | undefined
}

/** Bytes of a token's name, which is public, and of its secret. */
const idBytes = 8
const secretBytes = 32

const form = /^landfall_([0-9a-f]{16})_([\w-]{43})$/

const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')

/** Bearer tokens. The secret is 256 random bits, of which the database has the SHA-256: nothing to guess, so nothing to slow down. */
export class Tokens {
  readonly #sql: Sql
  readonly #audit: Audit
  readonly #now: () => number

  constructor(database: Sql, audit: Audit, now: () => number) {
    this.#sql = database
    this.#audit = audit
    this.#now = now
  }

  /** The token that these words are, if they are one that holds now. */
  async find(text: string): Promise<Token | undefined> {
    const [, id = '', secret = ''] = form.exec(text) ?? []
    const [row] = await this.#sql.all(sql('SELECT * FROM tokens WHERE id = ?', id))
    // One that is not there costs the same time as one whose secret is wrong.
    const stored = Buffer.from(row === undefined ? '0'.repeat(64) : String(row.hash), 'hex')
    const isRight = timingSafeEqual(stored, hashOf(secret))
    if (row === undefined || !isRight) return undefined
    const token = read(row)
    const isOver = token.revokedAt !== undefined || (token.expiresAt ?? Number.POSITIVE_INFINITY) <= this.#now()
    return isOver ? undefined : token
  }

  /** The words of a new token, which nobody can find out again. `random` gives so many random bytes. */
  async create(
    { name, sets, verbs, expiresAt }: Pick<Token, 'name' | 'sets' | 'verbs' | 'expiresAt'>,
    actor: string,
    random: (bytes: number) => Uint8Array,
  ): Promise<{ readonly token: Token; readonly words: string; readonly statements: readonly Statement[] }> {
    const id = Buffer.from(random(idBytes)).toString('hex')
    const secret = Buffer.from(random(secretBytes)).toString('base64url')
    const token = { id, name, sets, verbs, madeAt: this.#now(), expiresAt, revokedAt: undefined }
    const note = `${name} (${id}): ${verbs.join(' ')} on ${sets.join(' ')}`
    const deed = { actor, action: 'token-created', set: '', version: 0, digest: '', note } as const
    const { statement } = await this.#audit.entry(deed)
    const statements = [
      sql(
        'INSERT INTO tokens (id, name, hash, sets, verbs, made_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        id,
        name,
        hashOf(secret).toString('hex'),
        JSON.stringify(sets),
        JSON.stringify(verbs),
        token.madeAt,
        expiresAt ?? null,
      ),
      statement,
    ]
    return { token, words: `landfall_${id}_${secret}`, statements }
  }

  async list(): Promise<readonly Token[]> {
    return (await this.#sql.all(sql('SELECT * FROM tokens ORDER BY made_at, id'))).map(read)
  }

  /** Whether there was such a token that was not revoked yet. */
  async revoke(id: string, actor: string): Promise<boolean> {
    const [row] = await this.#sql.all(sql('SELECT * FROM tokens WHERE id = ? AND revoked_at IS NULL', id))
    if (row === undefined) return false
    const deed = {
      actor,
      action: 'token-revoked',
      set: '',
      version: 0,
      digest: '',
      note: `${row.name} (${id})`,
    } as const
    const { statement } = await this.#audit.entry(deed)
    await this.#sql.write([sql('UPDATE tokens SET revoked_at = ? WHERE id = ?', this.#now(), id), statement])
    return true
  }
}

const read = (row: Row): Token => ({
  id: String(row.id),
  name: String(row.name),
  sets: JSON.parse(String(row.sets)),
  verbs: JSON.parse(String(row.verbs)),
  madeAt: Number(row.made_at),
  expiresAt: typeof row.expires_at === 'number' ? row.expires_at : undefined,
  revokedAt: typeof row.revoked_at === 'number' ? row.revoked_at : undefined,
})

/** As logs, versions and the audit log name it. */
export const actorOf = ({ name, id }: Pick<Token, 'name' | 'id'>): string => `${name} (${id})`

export const mayDo = (token: Token, verb: Verb, set: string): boolean =>
  token.verbs.includes(verb) && (token.sets.includes('*') || token.sets.includes(set))
