import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type KubeObject, kinds, objectKey } from './objects.ts'
import type { Entry, ParsedDocument } from './parsed-document.ts'
import { formatField, type Problem } from './problem.ts'
import type { FieldPath } from './rule.ts'

/** What a set of manifests says. */
export interface Loaded {
  /** Valid, with defaults; no two of the same kind, namespace and name. */
  readonly objects: readonly KubeObject[]
  /** The first 10,000. */
  readonly problems: readonly Problem[]
  /** How many objects are of kinds that Landfall does not read. */
  readonly ignored: number
  /** Where one of `objects` is written, or its field at `path`: the nearest list or object that has it when it is not written. */
  where(object: KubeObject, path?: FieldPath): { readonly file: string; readonly line: number }
}

/** A file, or why it has no documents. */
export interface ManifestFile {
  /** As problems name it. */
  readonly name: string
  readonly documents: readonly { readonly text: string; readonly line: number; readonly parsed: ParsedDocument }[]
  readonly fault: { readonly message: string; readonly line: number } | undefined
}

interface Place {
  readonly file: string
  /** Of the document, from 1. */
  readonly line: number
  readonly parsed: ParsedDocument
  /** From the document to the object. */
  readonly path: FieldPath
}

/** Problems that are told; more help nobody. */
const maxProblems = 10_000

/** Objects by objectKey, each with the place that it was read from. */
export type Held = ReadonlyMap<string, { readonly object: KubeObject; readonly place: Place }>

const lineOf = ({ line, parsed, path }: Place, below: FieldPath = []): number =>
  line + (path.length + below.length === 0 ? parsed.line : parsed.lines.line([...path, ...below]))

/**
 * Puts files together. What `before` holds stays as an API server would keep it: an object that has not changed is the
 * very same object, and one that is not valid any more is its last valid self, with the problem beside it.
 */
export function assemble(
  files: readonly ManifestFile[],
  before: Held,
): { readonly loaded: Loaded; readonly held: Held } {
  const assembly = new Assembly(before)
  for (const file of files) assembly.add(file)
  return assembly.finish()
}

class Assembly {
  readonly #before: Held
  readonly #held = new Map<string, { readonly object: KubeObject; readonly place: Place }>()
  /** Every object that is written down, valid or not. */
  readonly #written = new Map<string, Place>()
  readonly #problems: Problem[] = []
  /** Files, and directories, with a part that cannot be read: nobody knows which objects are in it. */
  readonly #obscure = new Set<string>()
  #ignored = 0

  constructor(before: Held) {
    this.#before = before
  }

  add({ name, documents, fault }: ManifestFile): void {
    if (fault !== undefined) this.#unreadable(name, fault.line, fault.message)
    for (const { line, parsed } of documents) {
      if (parsed.fault !== undefined) this.#unreadable(name, line + parsed.fault.line, parsed.fault.message)
      for (const entry of parsed.entries) this.#entry(entry, { file: name, line, parsed, path: entry.path })
    }
  }

  #unreadable(file: string, line: number, message: string): void {
    this.#obscure.add(file)
    this.#tell({ severity: 'error', file, line, kind: '', namespace: '', name: '', field: '', message })
  }

  #tell(problem: Problem): void {
    if (this.#problems.length < maxProblems) this.#problems.push(problem)
  }

  #entry(entry: Entry, place: Place): void {
    const { kind, namespace, name, object, faults } = entry
    const subject = { file: place.file, kind, namespace, name }
    for (const { severity, path, message, line } of faults) {
      this.#tell({ ...subject, severity, line: place.line + line, field: formatField(path), message })
    }
    if (object === undefined && faults.length === 0) {
      this.#ignored++
      return
    }
    if (name === '' || !Object.hasOwn(kinds, kind)) {
      this.#obscure.add(place.file)
      return
    }
    const key = objectKey(kind, namespace, name)
    const first = this.#written.get(key)
    if (first !== undefined) {
      const message = `is defined at ${first.file}:${lineOf(first)} already; remove one of the two`
      this.#tell({ ...subject, severity: 'error', line: lineOf(place), field: '', message })
      return
    }
    this.#written.set(key, place)
    const last = this.#before.get(key)?.object
    const current = object === undefined || isDeepStrictEqual(object, last) ? last : object
    if (current !== undefined) this.#held.set(key, { object: current, place })
  }

  #isObscure(file: string): boolean {
    const parent = dirname(file)
    return this.#obscure.has(file) || (parent !== file && this.#isObscure(parent))
  }

  finish(): { readonly loaded: Loaded; readonly held: Held } {
    for (const [key, held] of this.#before) {
      if (!this.#written.has(key) && this.#isObscure(held.place.file)) this.#held.set(key, held)
    }
    const places = new Map<KubeObject, Place>()
    for (const { object, place } of this.#held.values()) places.set(object, place)
    const loaded: Loaded = {
      objects: [...places.keys()],
      problems: this.#problems,
      ignored: this.#ignored,
      where(object, path = []) {
        const place = places.get(object)
        if (place === undefined) throw new TypeError(`${object.kind} ${object.metadata.name} is not of this result`)
        return { file: place.file, line: lineOf(place, path) }
      },
    }
    return { loaded, held: this.#held }
  }
}
