import type { VersionState } from './answers.ts'
import { versionState } from './answers.ts'
import { type Content, chunksOf, filesIn } from './content.ts'
import type { SetFile } from './set-file.ts'
import { type Row, type Sql, type Statement, sql } from './sql.ts'

/** Versions of a set that are kept. */
const keptVersions = 50

/** Bytes that are written, or hashes that are asked for, at a time. */
const batchBytes = 4 * 1024 * 1024
const batchHashes = 10_000
/** Pieces that are read at a time: some MB. */
const batchChunks = 64

export interface Version {
  readonly set: string
  readonly version: number
  readonly state: VersionState
  readonly digest: string
  readonly objects: number
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly publishedAt: number | undefined
  readonly rollbackTo: number | undefined
}

/** The versions of all sets. */
export class History {
  readonly #sql: Sql

  constructor(database: Sql) {
    this.#sql = database
  }

  /** The latest version of each set. */
  async latest(): Promise<ReadonlyMap<string, Version>> {
    const newest = 'SELECT set_name, MAX(version) FROM versions GROUP BY set_name'
    const rows = await this.#sql.all(sql(`SELECT ${columns} FROM versions WHERE (set_name, version) IN (${newest})`))
    return new Map(rows.map(read).map((version) => [version.set, version]))
  }

  /** Of one set, the newest first. */
  async versions(set: string): Promise<readonly Version[]> {
    const query = `SELECT ${columns} FROM versions WHERE set_name = ? ORDER BY version DESC LIMIT ?`
    return (await this.#sql.all(sql(query, set, keptVersions))).map(read)
  }

  /** undefined when there is no such version, or none any more. */
  async files(set: string, version: number): Promise<readonly SetFile[] | undefined> {
    const [row] = await this.#sql.all(
      sql('SELECT chunks FROM versions WHERE set_name = ? AND version = ?', set, version),
    )
    if (row === undefined) return undefined
    const hashes: readonly string[] = JSON.parse(String(row.chunks))
    const pieces: Buffer[] = []
    for (let start = 0; start < hashes.length; start += batchChunks) {
      const some = hashes.slice(start, start + batchChunks)
      const query = 'SELECT hash, text FROM chunks WHERE hash IN (SELECT value FROM json_each(?))'
      const found = new Map(
        (await this.#sql.all(sql(query, JSON.stringify(some)))).map(({ hash, text }) => [hash, text]),
      )
      for (const hash of some) {
        const text = found.get(hash)
        if (typeof text !== 'string') throw new Error(`the history lacks a part of version ${version} of ${set}`)
        pieces.push(Buffer.from(text))
      }
    }
    return filesIn(Buffer.concat(pieces))
  }

  /** Writes the pieces that are not there yet: before the version that consists of them. */
  async keep({ files, texts }: Content): Promise<void> {
    const missing = new Map<string, { readonly bytes: Buffer; readonly start: number; readonly end: number }>()
    for (const { bytes, chunks } of [files, texts]) {
      let at = 0
      for (const { hash, length } of chunks) {
        missing.set(hash, { bytes, start: at, end: at + length })
        at += length
      }
    }
    const hashes = [...missing.keys()]
    for (let start = 0; start < hashes.length; start += batchHashes) {
      const query = 'SELECT hash FROM chunks WHERE hash IN (SELECT value FROM json_each(?))'
      const found = await this.#sql.all(sql(query, JSON.stringify(hashes.slice(start, start + batchHashes))))
      for (const { hash } of found) missing.delete(String(hash))
    }
    let batch: Statement[] = []
    let size = 0
    for (const [hash, { bytes, start, end }] of missing) {
      const insert = 'INSERT INTO chunks (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING'
      batch.push(sql(insert, hash, bytes.toString('utf8', start, end)))
      size += end - start
      if (size < batchBytes) continue
      await this.#sql.write(batch)
      batch = []
      size = 0
    }
    if (batch.length > 0) await this.#sql.write(batch)
  }

  /** The statement that makes a version: it fails with a ConflictError where somebody else has made it. */
  begin({ set, version, objects, by, at, rollbackTo }: Version, content: Content): Statement {
    const hashes = JSON.stringify(chunksOf(content).map(({ hash }) => hash))
    return sql(
      `INSERT INTO versions (set_name, version, state, digest, chunks, objects, made_by, made_at, rollback_to)
       VALUES (?, ?, 'publishing', ?, ?, ?, ?, ?, ?)`,
      set,
      version,
      content.digest,
      hashes,
      objects,
      by,
      at,
      rollbackTo ?? null,
    )
  }

  /** The statements that say that these versions are published, and those before them of their sets never will be. */
  published(versions: Iterable<Version>, at: number): readonly Statement[] {
    return [...versions].flatMap(({ set, version }) => [
      sql(
        `UPDATE versions SET state = 'published', published_at = ? WHERE set_name = ? AND version = ? AND state = 'publishing'`,
        at,
        set,
        version,
      ),
      sql(
        `UPDATE versions SET state = 'replaced' WHERE set_name = ? AND version < ? AND state = 'publishing'`,
        set,
        version,
      ),
    ])
  }

  /** Lets go of versions that are too old, and of pieces that no version has. */
  async tidy(set: string, latest: number): Promise<void> {
    const old = latest - keptVersions
    const gone = await this.#sql.all(
      sql(
        'SELECT DISTINCT j.value AS hash FROM versions v, json_each(v.chunks) j WHERE v.set_name = ? AND v.version <= ?',
        set,
        old,
      ),
    )
    if (gone.length === 0) return
    await this.#sql.write([
      sql('DELETE FROM versions WHERE set_name = ? AND version <= ?', set, old),
      sql(
        `DELETE FROM chunks WHERE hash IN (SELECT value FROM json_each(?))
         AND hash NOT IN (SELECT j.value FROM versions v, json_each(v.chunks) j)`,
        JSON.stringify(gone.map(({ hash }) => hash)),
      ),
    ])
  }
}

const columns = 'set_name, version, state, digest, objects, made_by, made_at, published_at, rollback_to'

const read = (row: Row): Version => ({
  set: String(row.set_name),
  version: Number(row.version),
  state: versionState.parse(row.state),
  digest: String(row.digest),
  objects: Number(row.objects),
  by: String(row.made_by),
  at: Number(row.made_at),
  publishedAt: numberOr(row.published_at),
  rollbackTo: numberOr(row.rollback_to),
})

const numberOr = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
