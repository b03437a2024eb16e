import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { inParallel } from './in-parallel.ts'
import { type Store, StoreError } from './store.ts'

/** How many files are written or removed at a time. */
const AT_ONCE = 16
/** Begins the name of a file that is not an entry yet. */
const TEMPORARY = '.new-'
/** A temporary file that is older, in milliseconds, was left by a writer that was killed. */
const STALE = 3_600_000

/**
 * Entries as files below a directory: "gateway/infra/edge" is the file `gateway/infra/edge`. No key may be a folder of
 * another ("a" beside "a/b"). Characters that are not safe in a file's name are percent-encoded.
 *
 * An entry is written to a temporary file, synced to the disk and renamed, so a file is whole even after a loss of power,
 * which may undo the last puts: directories are not synced.
 */
export class DirectoryStore implements Store {
  readonly #directory: string
  readonly #now: () => number
  #swept = false

  constructor(directory: string, now: () => number = Date.now) {
    this.#directory = directory
    this.#now = now
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = this.#path(key)
    try {
      return new Uint8Array(await readFile(path))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw failed('read', path, error)
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    // Only the folder that the prefix names is read, not the whole store.
    const folders = prefix.split('/').slice(0, -1)
    const directory = join(this.#directory, ...folders.map(encodeSegment))
    const names = (await this.#files(directory)).map((file) => relative(directory, file))
    return names
      .filter((name) => !isTemporary(name))
      .map((name) => [...folders, ...name.split(sep).map(decodeSegment)].join('/'))
      .filter((key) => key.startsWith(prefix))
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    if (!this.#swept) await this.#sweep()
    this.#swept = true
    await inParallel([...entries], AT_ONCE, async ([key, bytes]) => {
      const path = this.#path(key)
      await write(path, bytes).catch((error) => {
        throw failed('write', path, error)
      })
    })
  }

  async delete(keys: readonly string[]): Promise<void> {
    await inParallel(keys, AT_ONCE, async (key) => {
      const path = this.#path(key)
      await rm(path, { force: true }).catch((error) => {
        throw failed('delete', path, error)
      })
    })
  }

  async close(): Promise<void> {}

  /** Removes what killed writers left. */
  async #sweep(): Promise<void> {
    await inParallel((await this.#files(this.#directory)).filter(isTemporary), AT_ONCE, async (path) => {
      const found = await stat(path).catch(() => undefined)
      if (found !== undefined && found.mtimeMs < this.#now() - STALE) await rm(path, { force: true })
    })
  }

  async #files(directory: string): Promise<string[]> {
    try {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    } catch (error) {
      if (isMissing(error)) return []
      throw failed('list', directory, error)
    }
  }

  #path(key: string): string {
    return join(this.#directory, ...key.split('/').map(encodeSegment))
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, TEMPORARY + randomUUID())
  await mkdir(folder, { recursive: true })
  const file = await open(temporary, 'wx')
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** A name that is no path, no temporary file and never empty. */
function encodeSegment(segment: string): string {
  const encoded = encodeURIComponent(segment).replaceAll(/^\.|[*]/g, (character) => (character === '.' ? '%2E' : '%2A'))
  return encoded === '' ? '%' : encoded
}

const decodeSegment = (name: string): string => (name === '%' ? '' : decodeURIComponent(name))

const isTemporary = (path: string): boolean => basename(path).startsWith(TEMPORARY)

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const failed = (verb: string, path: string, error: unknown): StoreError =>
  new StoreError(`cannot ${verb} ${path}: ${error instanceof Error ? error.message : error}`, { cause: error })
