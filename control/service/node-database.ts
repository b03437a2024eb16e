import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { NodeSql } from './node-sql.ts'
import { prepare } from './schema.ts'

/** The file of the database in a directory, which nobody else may read: it has what was pushed. */
export async function openDatabase(data: string): Promise<NodeSql> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const path = join(data, 'control.db')
  const database = new NodeSql(path)
  chmodSync(path, 0o600)
  await prepare(database)
  return database
}
