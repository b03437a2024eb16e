import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ManifestFile } from './manifest-file.ts'
import { type KubeObject, keyOf } from './objects.ts'
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

/** Where an object is written. */
export interface Place {
  readonly file: string
  /** Of the document, from 1. */
  readonly line: number
  readonly parsed: ParsedDocument
  /** From the document to the object. */
  readonly path: FieldPath
}

/** An object, with the place that it was read from. */
export interface Holding {
  readonly object: KubeObject
  readonly place: Place
}

/** What files come to, and what the next version of some of them is put together with. */
export interface Assembled {
  readonly loaded: Loaded
  readonly holdings: readonly Holding[]
  /** Places in `holdings` by objectKey. */
  readonly index: ReadonlyMap<string, number>
  /** Keys of objects that are written more than once. */
  readonly repeated: ReadonlySet<string>
}

/** Problems that are told; more help nobody. */
const maxProblems = 10_000

const lineOf = ({ line, parsed, path }: Place, below: FieldPath = []): number =>
  line + (path.length + below.length === 0 ? parsed.line : parsed.lines.line([...path, ...below]))

/** `index` and the rest as in Assembled and Loaded. */
export function loadedOf(
  holdings: readonly Holding[],
  index: ReadonlyMap<string, number>,
  { problems, ignored }: Pick<Loaded, 'problems' | 'ignored'>,
): Loaded {
  return {
    objects: holdings.map(({ object }) => object),
    problems,
    ignored,
    where(object, path = []) {
      const holding = holdings[index.get(keyOf(object)) ?? -1]
      if (holding?.object !== object)
        throw new TypeError(`${object.kind} ${object.metadata.name} is not of this result`)
      return { file: holding.place.file, line: lineOf(holding.place, path) }
    },
  }
}

/** The very same object as before when it says the same. */
export const keptObject = (object: KubeObject, before: KubeObject | undefined): KubeObject =>
  before !== undefined && (object === before || isDeepStrictEqual(object, before)) ? before : object

/**
 * Puts files together. What `before` holds stays as an API server would keep it: an object that has not changed is the
 * very same object, and one that is not valid any more is its last valid self, with the problem beside it.
 */
export function assemble(files: readonly ManifestFile[], before?: Assembled): Assembled {
  const assembly = new Assembly(before)
  for (const file of files) assembly.add(file)
  return assembly.finish()
}

class Assembly {
  readonly #before: Assembled | undefined
  readonly #holdings: Holding[] = []
  readonly #index = new Map<string, number>()
  /** Objects that are written down, but were never valid. */
  readonly #invalid = new Map<string, Place>()
  readonly #repeated = new Set<string>()
  readonly #problems: Problem[] = []
  /** Files, and directories, with a part that cannot be read: nobody knows which objects are in it. */
  readonly #obscure = new Set<string>()
  #ignored = 0

  constructor(before: Assembled | undefined) {
    this.#before = before
  }

  add({ name, documents, fault, isPending }: ManifestFile): void {
    if (isPending) this.#obscure.add(name)
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

  #entry({ kind, namespace, name, key, object, faults }: Entry, place: Place): void {
    const subject = { file: place.file, kind, namespace, name }
    for (const { severity, path, message, line } of faults) {
      this.#tell({ ...subject, severity, line: place.line + line, field: formatField(path), message })
    }
    if (object === undefined && faults.length === 0) {
      this.#ignored++
      return
    }
    if (key === undefined) {
      this.#obscure.add(place.file)
      return
    }
    const first = this.#written(key)
    if (first !== undefined) {
      this.#repeated.add(key)
      const message = `is defined at ${first.file}:${lineOf(first)} already; remove one of the two`
      this.#tell({ ...subject, severity: 'error', line: lineOf(place), field: '', message })
      return
    }
    const last = this.#last(key)
    const current = object === undefined ? last : keptObject(object, last)
    if (current === undefined) this.#invalid.set(key, place)
    else this.#hold(key, { object: current, place })
  }

  #written(key: string): Place | undefined {
    const at = this.#index.get(key)
    return at === undefined ? this.#invalid.get(key) : this.#holdings[at]?.place
  }

  #last(key: string): KubeObject | undefined {
    const at = this.#before?.index.get(key)
    return at === undefined ? undefined : this.#before?.holdings[at]?.object
  }

  #hold(key: string, holding: Holding): void {
    this.#index.set(key, this.#holdings.push(holding) - 1)
  }

  #isObscure(file: string): boolean {
    const parent = dirname(file)
    return this.#obscure.has(file) || (parent !== file && this.#isObscure(parent))
  }

  #keep({ index, holdings }: Assembled): void {
    for (const [key, at] of index) {
      const holding = holdings[at]
      if (holding !== undefined && this.#written(key) === undefined && this.#isObscure(holding.place.file))
        this.#hold(key, holding)
    }
  }

  finish(): Assembled {
    if (this.#before !== undefined && this.#obscure.size > 0) this.#keep(this.#before)
    const [holdings, index] = [this.#holdings, this.#index]
    const loaded = loadedOf(holdings, index, { problems: this.#problems, ignored: this.#ignored })
    return { loaded, holdings, index, repeated: this.#repeated }
  }
}
