import { type Assembled, assemble } from '../../kube/loaded.ts'
import type { ManifestFile } from '../../kube/manifest-file.ts'
import { reassemble, type Version } from '../../kube/reassemble.ts'
import { type Compiled, compile, type Site } from '../compile/compile.ts'
import type { Reading } from '../project.ts'
import { Snapshot } from '../snapshot.ts'
import { type HeldFile, heldFile, type SetFile } from './set-file.ts'

type HeldSet = ReadonlyMap<string, HeldFile>

/** What all sets together would come to. */
export interface Candidate extends Reading {
  readonly sets: ReadonlyMap<string, HeldSet>
  readonly assembled: Assembled
  readonly compiled: Compiled
}

/** Sets of manifests in memory, compiled all together again and again. What a set says once more is neither parsed nor compiled
 *  again. */
export class Workspace {
  readonly #site: Site
  #current: Candidate

  constructor(site: Site) {
    this.#site = site
    const assembled = assemble([])
    const snapshot = Snapshot.of([])
    this.#current = {
      sets: new Map(),
      assembled,
      loaded: assembled.loaded,
      snapshot,
      compiled: compile(snapshot, site),
    }
  }

  get current(): Candidate {
    return this.#current
  }

  /** What would be if these sets had these files. Nothing changes. */
  candidate(changes: ReadonlyMap<string, readonly SetFile[]>): Candidate {
    const { sets: before, assembled: last, snapshot: lastSnapshot, compiled: lastCompiled } = this.#current
    const sets = new Map(before)
    const versions: Version[] = []
    let isMoved = false
    for (const [set, files] of changes) {
      const old = before.get(set)
      const next = heldSet(set, files, old)
      sets.set(set, next)
      if (old === undefined || !isSameNames(old, next)) isMoved = true
      else versions.push(...changedFiles(old, next))
    }
    const same = isMoved ? undefined : reassemble(last, versions)
    const assembled = same ?? assemble(filesOf(sets), last)
    const snapshot = lastSnapshot.next(assembled.loaded.objects)
    const compiled = snapshot === lastSnapshot ? lastCompiled : compile(snapshot, this.#site, lastCompiled)
    return { sets, assembled, loaded: assembled.loaded, snapshot, compiled }
  }

  take(candidate: Candidate): void {
    this.#current = candidate
  }
}

/** The set that a file of a result belongs to. */
export const setOf = (file: string): string => file.slice(0, file.indexOf('/'))

function heldSet(set: string, files: readonly SetFile[], before: HeldSet | undefined): HeldSet {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return new Map(sorted.map(({ name, bytes }) => [name, heldFile(`${set}/${name}`, bytes, before?.get(name))]))
}

const isSameNames = (a: HeldSet, b: HeldSet): boolean => a.size === b.size && [...a.keys()].every((name) => b.has(name))

const changedFiles = (before: HeldSet, after: HeldSet): Version[] =>
  [...after].flatMap(([name, { file }]): Version[] => {
    const old = before.get(name)?.file
    return old === undefined || old === file ? [] : [[old, file]]
  })

const filesOf = (sets: ReadonlyMap<string, HeldSet>): readonly ManifestFile[] =>
  [...sets].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, files]) => [...files.values()].map(({ file }) => file))
