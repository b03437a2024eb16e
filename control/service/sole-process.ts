import { DatabaseSync } from 'node:sqlite'

/** Holds a file for this process, until it ends in whatever way: a lock of SQLite, which the system takes back. Gives what lets go of
 *  it; undefined when another process holds it. */
export function holdAlone(path: string): (() => void) | undefined {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('PRAGMA busy_timeout = 2000; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Error && /locked/.test(error.message)) return undefined
    throw error
  }
  return () => lock.close()
}
