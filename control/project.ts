import type { Loaded } from '../kube/loaded.ts'
import { ManifestReader, type ReaderOptions } from '../kube/manifests.ts'
import { type Compiled, compile, type Site } from './compile/compile.ts'
import { Snapshot } from './snapshot.ts'

/** What a set of manifests says, and what it comes to. */
export interface Reading {
  readonly loaded: Loaded
  readonly snapshot: Snapshot
  readonly compiled: Compiled
}

/** Manifests in files, compiled again and again as they change. */
export class Project {
  readonly #reader: ManifestReader
  readonly #site: Site
  #last: Reading | undefined

  constructor(paths: readonly string[], site: Site, options?: ReaderOptions) {
    this.#reader = new ManifestReader(paths, options)
    this.#site = site
  }

  /** The very same reading as before when no file has changed. `changed` as in ManifestReader.read. */
  async read(changed?: ReadonlySet<string>): Promise<Reading> {
    const last = this.#last
    const loaded = await this.#reader.read(changed)
    if (last !== undefined && last.loaded === loaded) return last
    const snapshot = last === undefined ? Snapshot.of(loaded.objects) : last.snapshot.next(loaded.objects)
    const compiled = last?.snapshot === snapshot ? last.compiled : compile(snapshot, this.#site, last?.compiled)
    this.#last = { loaded, snapshot, compiled }
    return this.#last
  }
}
