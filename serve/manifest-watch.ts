import { type FSWatcher, watch } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { findFiles, type ManifestFiles, stdinPath, whatIsAt } from '../kube/manifest-files.ts'
import { pathTrail } from './path-trail.ts'

/** What is told of one directory. */
interface Interest {
  /** Whether all that happens in it is told, by the path of the entry. */
  isWhole: boolean
  /** Paths that are told when something happens to an entry of this name. */
  readonly names: Map<string, Set<string>>
}

interface Place {
  readonly watcher: FSWatcher
  interest: Interest
}

/**
 * Tells the paths, as ManifestReader finds them, of what may have changed. It watches each directory that is searched, and
 * what decides where a link or a given path leads; why no library does is in docs/decisions/watching.md.
 */
export class ManifestWatch {
  readonly #paths: readonly string[]
  readonly #tell: (path: string) => void
  readonly #failed: (error: unknown) => void
  /** By directory. */
  readonly #places = new Map<string, Place>()
  /** Directories that cannot be watched; each is told once. */
  readonly #refused = new Set<string>()
  #found: ManifestFiles | undefined
  #isClosed = false

  constructor(paths: readonly string[], tell: (path: string) => void, failed: (error: unknown) => void) {
    this.#paths = paths.filter((path) => path !== stdinPath)
    this.#tell = tell
    this.#failed = failed
  }

  /** Watches what there is now: to be called first, and whenever anything but the content of files has changed. The directories
   *  that are watched from now on. */
  async renew(): Promise<readonly string[]> {
    const found = await findFiles(this.#paths)
    const interests = await this.#interests(found)
    if (this.#isClosed) return []
    this.#found = found
    for (const directory of this.#places.keys()) if (!interests.has(directory)) this.#drop(directory)
    const before = new Set(this.#places.keys())
    for (const [directory, interest] of interests) this.#listen(directory, interest)
    return [...this.#places.keys()].filter((directory) => !before.has(directory))
  }

  /** As whatIsAt, for a path that was told. */
  async whatIsAt(path: string): Promise<'file' | 'place' | undefined> {
    return this.#found === undefined ? 'place' : await whatIsAt(path, this.#found)
  }

  close(): void {
    this.#isClosed = true
    for (const directory of this.#places.keys()) this.#drop(directory)
  }

  async #interests({ directories, links }: ManifestFiles): Promise<ReadonlyMap<string, Interest>> {
    const interests = new Map<string, Interest>()
    const interestIn = (directory: string): Interest => {
      const interest = interests.get(directory) ?? { isWhole: false, names: new Map() }
      interests.set(directory, interest)
      return interest
    }
    for (const directory of directories) interestIn(directory).isWhole = true
    for (const path of [...this.#paths, ...links]) {
      for (const { directory, name } of await pathTrail(path)) {
        const { names } = interestIn(directory)
        names.set(name, (names.get(name) ?? new Set()).add(path))
      }
    }
    return interests
  }

  #listen(directory: string, interest: Interest): void {
    const place = this.#places.get(directory)
    if (place !== undefined) {
      place.interest = interest
      return
    }
    try {
      const watcher = watch(resolve(directory), (event, name) => this.#hear(directory, event, name))
      watcher.on('error', () => this.#hear(directory, 'rename', null))
      this.#places.set(directory, { watcher, interest })
      this.#refused.delete(directory)
    } catch (error) {
      // What is gone by now is told by what it stood in.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
      if (this.#refused.has(directory)) return
      this.#refused.add(directory)
      const why = error instanceof Error ? error.message : String(error)
      this.#failed(new Error(`changes in ${directory} go unnoticed: ${why}`))
    }
  }

  #hear(directory: string, event: string, name: string | null): void {
    const place = this.#places.get(directory)
    if (place === undefined) return
    const { isWhole, names } = place.interest
    // A directory that is moved or removed hears its own name, and then nothing any more.
    const isOver = event === 'rename' && (name === null || name === basename(resolve(directory)))
    if (isOver) this.#drop(directory)
    if (name === null || isOver) {
      if (isWhole) this.#tell(directory)
      for (const paths of names.values()) for (const path of paths) this.#tell(path)
    }
    if (name === null) return
    if (isWhole) this.#tell(join(directory, name))
    for (const path of names.get(name) ?? []) this.#tell(path)
  }

  #drop(directory: string): void {
    this.#places.get(directory)?.watcher.close()
    this.#places.delete(directory)
  }
}
