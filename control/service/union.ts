import type { Site } from '../compile/compile.ts'
import type { Content } from './content.ts'
import type { History, Version } from './history.ts'
import { release } from './release.ts'
import type { SetFile } from './set-file.ts'
import { type Candidate, Workspace } from './workspace.ts'

/** The latest versions of all sets, in memory as the history has them. */
export class Union {
  readonly #history: History
  readonly #workspace: Workspace
  #versions = new Map<string, Version>()
  readonly #contents = new Map<string, Content>()
  /** Versions that were taken here. */
  #taken = 0

  constructor(history: History, site: Site) {
    this.#history = history
    this.#workspace = new Workspace(site)
  }

  get current(): Candidate {
    return this.#workspace.current
  }

  /** The latest version of each set. */
  get versions(): ReadonlyMap<string, Version> {
    return this.#versions
  }

  /** Takes in what others have written since. */
  async refresh(): Promise<void> {
    for (;;) {
      const before = this.#taken
      const latest = await this.#history.latest()
      const changes = await this.#changes(latest)
      // A push that has come meanwhile knows more.
      if (this.#taken !== before) continue
      if (changes.size > 0) this.#workspace.take(this.#workspace.candidate(changes))
      for (const set of changes.keys()) this.#contents.delete(set)
      this.#versions = new Map(latest)
      return
    }
  }

  async #changes(latest: ReadonlyMap<string, Version>): Promise<ReadonlyMap<string, readonly SetFile[]>> {
    const changes = new Map<string, readonly SetFile[]>()
    for (const [set, { version }] of latest) {
      if (this.#versions.get(set)?.version === version) continue
      const files = await this.#history.files(set, version)
      if (files === undefined) throw new Error(`version ${version} of ${set} went while it was read`)
      changes.set(set, files)
    }
    return changes
  }

  /** What would be if the set had these files. */
  candidate(set: string, files: readonly SetFile[]): Candidate {
    return this.#workspace.candidate(new Map([[set, files]]))
  }

  /** What the set says, as it was last pushed here. */
  content(set: string): Content | undefined {
    return this.#contents.get(set)
  }

  /** The set has a new version, which is in the history. */
  take(candidate: Candidate, version: Version, content: Content): void {
    this.#taken++
    this.#workspace.take(candidate)
    const last = this.#contents.get(version.set)?.texts.bytes
    const kept = [content.texts, ...(candidate.sets.get(version.set)?.values() ?? [])]
    if (last !== undefined && kept.every(({ bytes }) => bytes !== last)) release(last)
    this.#contents.set(version.set, content)
    this.#versions.set(version.set, version)
  }

  /** All that were under way are published. */
  published(at: number): void {
    for (const [set, version] of this.#versions) {
      if (version.state === 'publishing') this.#versions.set(set, { ...version, state: 'published', publishedAt: at })
    }
  }
}
