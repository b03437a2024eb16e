import { relative } from 'node:path'
import process from 'node:process'
import { type Assembled, assemble, type Loaded } from './loaded.ts'
import { type CacheOptions, ManifestCache } from './manifest-cache.ts'
import { faultyFile, type ManifestFile, parseFile } from './manifest-file.ts'
import { findFiles, type ManifestFiles } from './manifest-files.ts'
import { reassemble, type Version } from './reassemble.ts'

/** Files that are read at the same time. */
const concurrency = 64

/** Reads one file's text. Throws nothing: all that is wrong becomes a problem. */
export const parseManifests = (file: string, text: string): Loaded => assemble([parseFile(file, { text })]).loaded

export type ReaderOptions = Partial<CacheOptions>

/** Reads files, directories with all below them, and "-", the standard input. Throws nothing, as parseManifests. */
export const readManifests = (paths: readonly string[], options: ReaderOptions = {}): Promise<Loaded> =>
  new ManifestReader(paths, options).read()

/**
 * Reads the same paths again and again. What has not changed is not parsed again, and stays the very same object; an
 * object that is not valid any more stays as it last was, with the problem beside it. What may be half-written, or gone for
 * a moment only, counts when a later reading finds it as it is.
 */
export class ManifestReader {
  readonly #paths: readonly string[]
  readonly #cache: ManifestCache
  /** undefined before the first reading. */
  #found: ManifestFiles | undefined
  /** All paths in the cache, in the order that their files count in. */
  #order: readonly string[] = []
  /** Places that cannot be searched. */
  #faults: readonly ManifestFile[] = []
  /** What the result is made of, for each file that has been looked at since. */
  readonly #before = new Map<string, ManifestFile | undefined>()
  #result: Assembled = assemble([])
  #reading: Promise<unknown> = Promise.resolve()

  constructor(paths: readonly string[], { stdin = () => process.stdin, now = Date.now }: ReaderOptions = {}) {
    this.#paths = paths
    this.#cache = new ManifestCache({ stdin, now })
  }

  /** The very same result as before when no file has changed. Calls wait for each other. `changed` are the paths, as this
   *  reader finds them, of files and directories that have changed, come or gone, where somebody knows that nothing else has. */
  read(changed?: ReadonlySet<string>): Promise<Loaded> {
    const next = this.#reading.then(() => this.#read(changed))
    this.#reading = next.catch(() => undefined)
    return next
  }

  async #read(changed: ReadonlySet<string> | undefined): Promise<Loaded> {
    const isListed = changed !== undefined && [...changed].every((path) => this.#isListed(path))
    const isComplete = isListed && (await this.#look([...changed, ...this.#cache.unsettled]))
    const isMoved = !isComplete && (await this.#find(changed))
    const versions = [...this.#before].flatMap(([path, before]): Version[] => {
      const after = this.#cache.file(path)
      return before === undefined || after === undefined || before === after ? [] : [[before, after]]
    })
    this.#before.clear()
    if (isMoved || versions.length > 0) {
      const same = isMoved ? undefined : reassemble(this.#result, versions)
      this.#result = same ?? assemble([...this.#files(), ...this.#faults], this.#result)
    }
    return this.#result.loaded
  }

  #isListed(path: string): boolean {
    return this.#found?.files.has(path) ?? false
  }

  *#files(): Generator<ManifestFile> {
    for (const path of this.#order) {
      const file = this.#cache.file(path)
      if (file !== undefined) yield file
    }
  }

  /** Finds files anew and looks at those that may have changed. Whether other files count now than did, or in another order. */
  async #find(changed: ReadonlySet<string> | undefined): Promise<boolean> {
    const before = this.#found
    const found = await findFiles(this.#paths)
    this.#found = found
    const lost = [...this.#cache.paths()].filter((path) => !found.files.has(path))
    const isNarrow = changed !== undefined && before !== undefined && ![...changed].some(isPlaceOf(before, found))
    const due = isNarrow
      ? [
          ...[...found.files].filter((path) => changed.has(path) || this.#cache.file(path) === undefined),
          ...this.#cache.unsettled,
        ]
      : [...found.files]
    await this.#look([...due, ...lost], before === undefined)
    const order = [...found.files, ...lost].filter((path) => this.#cache.file(path) !== undefined)
    // A place is not empty while what was there may be gone for a moment only.
    const left = lost.filter((path) => this.#cache.file(path) !== undefined)
    const faults = found.faults
      .filter(({ file, isEmpty }) => isEmpty !== true || !left.some((path) => isBelow(file, path)))
      .map(({ file, message }) => this.#faults.find(isAs(file, message)) ?? faultyFile(file, message))
    const isMoved = !isSameList(order, this.#order) || !isSameList(faults, this.#faults)
    this.#order = order
    this.#faults = faults
    return isMoved
  }

  /** Looks at files. Whether all that were there still are, or may be. */
  async #look(paths: readonly string[], isFirst = false): Promise<boolean> {
    let isComplete = true
    await mapSome([...new Set(paths)], async (path) => {
      const before = this.#cache.file(path)
      if (!this.#before.has(path)) this.#before.set(path, before)
      if (this.#isListed(path)) await this.#cache.refresh(path, isFirst)
      else this.#cache.lose(path)
      if (before !== undefined && this.#cache.file(path) === undefined) isComplete = false
    })
    return isComplete
  }
}

/** Whether others are found by way of a path, or were. */
const isPlaceOf =
  (...found: readonly ManifestFiles[]) =>
  (path: string): boolean =>
    found.some(({ directories, links }) => directories.has(path) || links.has(path))

const isBelow = (directory: string, path: string): boolean => !relative(directory, path).startsWith('..')

const isAs =
  (name: string, message: string) =>
  (file: ManifestFile): boolean =>
    file.name === name && file.fault?.message === message

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index])

async function mapSome<Item>(items: readonly Item[], map: (item: Item) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += concurrency) {
    await Promise.all(items.slice(start, start + concurrency).map(map))
  }
}
