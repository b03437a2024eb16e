import type { Command } from 'commander'
import type { Sql } from '../control/service/sql.ts'

/** Opens the database of --data, and closes it in any case. */
export async function withDatabase(command: Command, use: (database: Sql) => Promise<void>): Promise<void> {
  const { data }: { readonly data: string } = command.optsWithGlobals()
  const { openDatabase } = await import('../control/service/node-database.ts')
  const database = await openDatabase(data)
  try {
    await use(database)
  } finally {
    await database.close()
  }
}
