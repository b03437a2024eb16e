import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { isManifest, isSearched } from './manifest-names.ts'

/** The path that means the standard input. */
export const stdinPath = '-'

/** Files below the given paths, all together. */
const maxFiles = 100_000

export interface ManifestFiles {
  /** In the order of the paths, and by name within a directory. No file twice. */
  readonly files: ReadonlySet<string>
  readonly faults: readonly PathFault[]
  /** Those that were searched. */
  readonly directories: ReadonlySet<string>
  /** Those of links that were followed below `directories`, or lead nowhere. */
  readonly links: ReadonlySet<string>
}

export interface PathFault {
  readonly file: string
  readonly message: string
  /** Whether it is a place where no manifests are. */
  readonly isEmpty?: true
}

/**
 * The files that `paths` name. Of a directory: the .yaml, .yml and .json files in it and in the directories below it,
 * but for hidden names, node_modules and kustomization.yaml.
 */
export async function findFiles(paths: readonly string[]): Promise<ManifestFiles> {
  const search = new Search()
  for (const path of paths) await search.add(path)
  return search
}

/**
 * What somebody who found `found` has to look at when something has happened to a path: that file, or all that may be found
 * by way of that place. undefined when it is nothing to them.
 */
export async function whatIsAt(
  path: string,
  { files, directories, links, faults }: ManifestFiles,
): Promise<'file' | 'place' | undefined> {
  if (directories.has(path) || links.has(path) || faults.some(({ file }) => file === path)) return 'place'
  const name = basename(path)
  const isListed = files.has(path)
  if (!isListed && !isSearched(name)) return undefined
  const status = await lstat(path).catch(() => undefined)
  if (status !== undefined && (status.isDirectory() || status.isSymbolicLink())) return 'place'
  return isListed || isManifest(name) ? 'file' : undefined
}

class Search implements ManifestFiles {
  readonly files = new Set<string>()
  readonly faults: PathFault[] = []
  readonly directories = new Set<string>()
  readonly links = new Set<string>()
  /** Real paths: links may lead to a place a second time, or round in a circle. */
  readonly #seen = new Set<string>()
  #full = false

  async add(path: string): Promise<void> {
    const files = this.files.size
    const faults = this.faults.length
    const directories = this.directories.size
    if (path === stdinPath) this.#addFile(path, path)
    else await this.#visit(path)
    if (this.directories.size > directories && this.files.size === files && this.faults.length === faults) {
      const message = 'holds no manifests; their names end in .yaml, .yml or .json'
      this.faults.push({ file: path, message, isEmpty: true })
    }
  }

  async #visit(path: string): Promise<void> {
    try {
      // What a shell gives for <(command) has no real path.
      const real = await realpath(path).catch(() => path)
      if ((await stat(path)).isDirectory()) await this.#walk(path, real)
      else this.#addFile(path, real)
    } catch (error) {
      this.faults.push({ file: path, message: whyUnreadable(error) })
    }
  }

  async #walk(directory: string, real: string): Promise<void> {
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    this.directories.add(directory)
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
      this.faults.push({ file: directory, message: whyUnreadable(error) })
      return []
    })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (this.#full) return
      const { name } = entry
      if (!isSearched(name)) continue
      const path = join(directory, name)
      if (entry.isSymbolicLink()) await this.#visitLink(path, isManifest(name))
      else if (entry.isDirectory()) await this.#walk(path, `${real}${sep}${name}`)
      else if (entry.isFile() && isManifest(name)) this.#addFile(path, `${real}${sep}${name}`)
    }
  }

  /** A broken link matters when its name is a manifest's. */
  async #visitLink(path: string, isManifest: boolean): Promise<void> {
    const target = await stat(path).catch(() => undefined)
    if (target?.isDirectory() || (isManifest && (target === undefined || target.isFile()))) {
      this.links.add(path)
      await this.#visit(path)
    }
  }

  #addFile(path: string, real: string): void {
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    if (this.files.size < maxFiles) this.files.add(path)
    else if (!this.#full) {
      this.#full = true
      this.faults.push({ file: path, message: `is one file too many; at most ${maxFiles} are read` })
    }
  }
}

/** In words, for the errors of reading a path. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'cannot be read; its permissions do not allow it'
    case 'ELOOP':
      return 'is a link that leads to itself'
    case 'ENOTDIR':
      return 'does not exist; a part of its path is no directory'
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
  }
}
