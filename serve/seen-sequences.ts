import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'

/** The highest sequences of signed tables by the key of their entry, in a file of JSON, so that a process which starts anew
 *  takes none that is older. Processes that follow each other may share it. */
export class SeenSequences {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** None where there is no such file yet. Rejects where it cannot be read. */
  async read(): Promise<ReadonlyMap<string, number>> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
      throw error
    }
    return sequencesOf(text) ?? fail(`${this.#path} has no sequences of tables; put back what it was, or delete it`)
  }

  /** Takes in what is higher than in the file. A reader sees the old file or the new one, whole. */
  async keep(seen: ReadonlyMap<string, number>): Promise<void> {
    const kept = new Map(await this.read())
    for (const [key, sequence] of seen) kept.set(key, Math.max(sequence, kept.get(key) ?? 0))
    const draft = `${this.#path}.new-${randomUUID()}`
    try {
      await writeFile(draft, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`, { flush: true })
      await rename(draft, this.#path)
    } finally {
      await rm(draft, { force: true })
    }
  }
}

/** undefined where the text is anything else than an object of sequences. */
function sequencesOf(text: string): ReadonlyMap<string, number> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
    const entries = Object.entries<unknown>({ ...parsed })
    return entries.every(isSequence) ? new Map(entries) : undefined
  } catch {
    return undefined
  }
}

const isSequence = (entry: [string, unknown]): entry is [string, number] => Number.isSafeInteger(entry[1])

function fail(message: string): never {
  throw new Error(message)
}
