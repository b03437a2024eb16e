import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml'
import type { TextFault } from './faults.ts'

/** Levels of lists and objects in each other. */
const maxDepth = 100
/** Values that all aliases of a document may stand for together: an alias of aliases of aliases grows without end. */
const maxExpanded = 100_000

/** Our way out of the walk, at the first fault. */
class Stop extends Error {
  readonly fault: TextFault

  constructor(offset: number, message: string) {
    super(message)
    this.fault = { offset, message }
  }
}

/** A YAML document's contents as JSON would have it. Every alias gets a copy of its own. */
export function toValue(contents: unknown): { readonly value: unknown } | { readonly fault: TextFault } {
  try {
    return { value: new Walk().value(contents, 0) }
  } catch (error) {
    if (error instanceof Stop) return { fault: error.fault }
    throw error
  }
}

class Walk {
  readonly #anchors = new Map<string, unknown>()
  /** Anchors whose contents are being walked. */
  readonly #open = new Set<string>()
  #aliases = 0
  #expanded = 0
  /** Of the alias whose contents are being walked, or else of the node. */
  #offset = 0

  value(node: unknown, depth: number): unknown {
    if (isAlias(node)) return this.#alias(node.source, node.range?.[0] ?? 0, depth)
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null
    if (this.#aliases === 0) this.#offset = node.range?.[0] ?? this.#offset
    else if (++this.#expanded > maxExpanded) {
      throw new Stop(this.#offset, `aliases stand for more than ${maxExpanded} values; write them out, or use fewer`)
    }
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isScalar(node)) return node.value
    if (depth > maxDepth) throw new Stop(this.#offset, `lists and objects are nested more than ${maxDepth} levels deep`)
    if (node.anchor === undefined) return isMap(node) ? this.#object(node, depth) : this.#list(node.items, depth)
    this.#open.add(node.anchor)
    const value = isMap(node) ? this.#object(node, depth) : this.#list(node.items, depth)
    this.#open.delete(node.anchor)
    return value
  }

  #alias(name: string, offset: number, depth: number): unknown {
    if (this.#aliases === 0) this.#offset = offset
    if (this.#open.has(name)) throw new Stop(this.#offset, `the alias *${name} stands within what it stands for`)
    if (!this.#anchors.has(name)) {
      throw new Stop(
        this.#offset,
        `YAML reads *${name} as an alias, and there is no anchor &${name} before it; put a text that begins with "*" in quotes`,
      )
    }
    this.#aliases++
    const value = this.value(this.#anchors.get(name), depth)
    this.#aliases--
    return value
  }

  #list(items: readonly unknown[], depth: number): unknown[] {
    return items.map((item) => this.value(item, depth + 1))
  }

  #object({ items }: YAMLMap<unknown, unknown>, depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const merged: Pair<unknown, unknown>[] = []
    for (const pair of items) {
      const { key } = pair
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN') {
        merged.push(pair)
        continue
      }
      const name = this.#key(key, depth)
      if (Object.hasOwn(object, name)) {
        const offset = isScalar(key) ? (key.range?.[0] ?? this.#offset) : this.#offset
        throw new Stop(offset, `${JSON.stringify(name)} is given twice in one object; remove one`)
      }
      set(object, name, this.value(pair.value, depth + 1))
    }
    for (const pair of merged) this.#merge(object, pair.value, depth)
    return object
  }

  #key(key: unknown, depth: number): string {
    const value = this.value(key, depth + 1)
    if (value !== null && typeof value !== 'object') return String(value)
    const what = value === null ? 'a key is empty' : 'a key is a list or an object'
    throw new Stop(this.#offset, `${what}; write "key: value", or render the template first if {{ … }} is one`)
  }

  /** "<<": fields of other objects, where the object has none of its own. */
  #merge(object: Record<string, unknown>, source: unknown, depth: number): void {
    const value = this.value(source, depth + 1)
    for (const from of Array.isArray(value) ? value : [value]) {
      if (typeof from !== 'object' || from === null || Array.isArray(from)) {
        throw new Stop(this.#offset, '"<<" takes an object or a list of objects')
      }
      for (const [name, entry] of Object.entries(from)) if (!Object.hasOwn(object, name)) set(object, name, entry)
    }
  }
}

function set(object: Record<string, unknown>, name: string, value: unknown): void {
  // Assigning to __proto__ would change what the object inherits.
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}
