import { type Sql, sql } from './sql.ts'

/** The tables of the control service, on Node and on D1. */
export const schema = [
  // One row for each version of a set. `chunks` is a JSON list of the hashes that its manifests consist of, in order.
  `CREATE TABLE IF NOT EXISTS versions (
    set_name TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL, chunks TEXT NOT NULL,
    objects INTEGER NOT NULL, made_by TEXT NOT NULL, made_at INTEGER NOT NULL, published_at INTEGER, rollback_to INTEGER,
    PRIMARY KEY (set_name, version))`,
  // Pieces of manifests by the SHA-256 of their text, shared by versions and sets.
  `CREATE TABLE IF NOT EXISTS chunks (hash TEXT PRIMARY KEY, text TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, sets TEXT NOT NULL, verbs TEXT NOT NULL,
    made_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER)`,
  `CREATE TABLE IF NOT EXISTS audit (
    sequence INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL)`,
  // Answers to requests with an Idempotency-Key. `answer` is null until the request is done.
  `CREATE TABLE IF NOT EXISTS answers (
    token TEXT NOT NULL, request_key TEXT NOT NULL, request TEXT NOT NULL, set_name TEXT NOT NULL, version INTEGER NOT NULL,
    made_at INTEGER NOT NULL, answer TEXT, PRIMARY KEY (token, request_key))`,
  // Whose turn it is to push, where several processes share the database.
  `CREATE TABLE IF NOT EXISTS turn (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, until INTEGER NOT NULL)`,
] as const

/** Makes what is missing of the tables. */
export const prepare = (database: Sql): Promise<void> => database.write(schema.map((text) => sql(text)))
