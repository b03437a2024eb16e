import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** The path that means the standard input. */
export const stdinPath = '-'

/** Files below the given paths, all together. */
const maxFiles = 100_000

const extensions = new Set(['.yaml', '.yml', '.json'])

/** Read by kustomize, and no manifests themselves. */
const kustomizations = new Set(['kustomization.yaml', 'kustomization.yml'])

export interface ManifestFiles {
  /** In the order of the paths, and by name within a directory. No file twice. */
  readonly files: readonly string[]
  readonly faults: readonly PathFault[]
}

export interface PathFault {
  readonly file: string
  readonly message: string
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

class Search implements ManifestFiles {
  readonly files: string[] = []
  readonly faults: PathFault[] = []
  /** Real paths: links may lead to a place a second time, or round in a circle. */
  readonly #seen = new Set<string>()
  #full = false

  async add(path: string): Promise<void> {
    const before = this.files.length
    const kind = await this.#visit(path)
    if (kind === 'directory' && this.files.length === before && this.faults.every(({ file }) => file !== path)) {
      this.faults.push({ file: path, message: 'holds no manifests; their names end in .yaml, .yml or .json' })
    }
  }

  async #visit(path: string): Promise<'file' | 'directory' | undefined> {
    try {
      if (path === stdinPath) {
        this.#addFile(path)
        return 'file'
      }
      // What a shell gives for <(command) has no real path.
      const real = await realpath(path).catch(() => path)
      if (this.#seen.has(real)) return 'file'
      this.#seen.add(real)
      if (!(await stat(path)).isDirectory()) {
        this.#addFile(path)
        return 'file'
      }
      await this.#walk(path)
      return 'directory'
    } catch (error) {
      this.faults.push({ file: path, message: whyUnreadable(error) })
      return undefined
    }
  }

  async #walk(directory: string): Promise<void> {
    const entries = await readdir(directory, { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (this.#full) return
      const isManifest = extensions.has(extname(entry.name)) && !kustomizations.has(entry.name)
      const path = join(directory, entry.name)
      if (entry.isDirectory() || (isManifest && entry.isFile())) await this.#visit(path)
      else if (entry.isSymbolicLink()) await this.#visitLink(path, isManifest)
    }
  }

  /** A broken link matters when its name is a manifest's. */
  async #visitLink(path: string, isManifest: boolean): Promise<void> {
    const target = await stat(path).catch(() => undefined)
    if (target?.isDirectory() || (isManifest && (target === undefined || target.isFile()))) await this.#visit(path)
  }

  #addFile(path: string): void {
    if (this.files.length < maxFiles) this.files.push(path)
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
