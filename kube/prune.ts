import { nearest } from './nearest.ts'
import type { Outline } from './outline.ts'
import type { FieldPath, Report } from './rule.ts'

type Fields = { readonly [name: string]: unknown }

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Drops fields that are null, as the API server does before it defaults and validates, and reports fields that the
 * schema does not know. `value` is left as it is.
 */
export function prune(value: unknown, outline: Outline, report: Report): unknown {
  return new Pruning(report).visit(value, outline)
}

class Pruning {
  readonly #report: Report
  /** How many more unknown fields are told. */
  #left = 50
  readonly #path: (string | number)[] = []
  /** Outlines of the objects on the way to here. */
  readonly #above: { readonly outline: Outline; readonly path: FieldPath }[] = []

  constructor(report: Report) {
    this.#report = report
  }

  visit(value: unknown, outline: Outline): unknown {
    if (Array.isArray(value)) return outline.items === undefined ? value : this.#list(value, outline.items)
    if (!isFields(value)) return value
    if (outline.fields !== undefined) return this.#object(value, outline, outline.fields)
    return outline.items === undefined || outline.items.nullable ? value : withoutNulls(value)
  }

  #list(values: readonly unknown[], items: Outline): unknown {
    let changed: unknown[] | undefined
    values.forEach((value, index) => {
      this.#path.push(index)
      const pruned = this.visit(value, items)
      this.#path.pop()
      if (pruned === value) return
      changed ??= [...values]
      changed[index] = pruned
    })
    return changed ?? values
  }

  #object(value: Fields, outline: Outline, fields: ReadonlyMap<string, Outline>): unknown {
    let changed: Record<string, unknown> | undefined
    this.#above.push({ outline, path: [...this.#path] })
    for (const name in value) {
      const field = fields.get(name)
      if (field === undefined) {
        if (!outline.unread.has(name)) this.#unknown(name, outline, fields)
        continue
      }
      this.#path.push(name)
      const pruned = this.visit(value[name], field)
      this.#path.pop()
      if (pruned === null && !field.nullable) {
        changed ??= { ...value }
        delete changed[name]
      } else if (pruned !== value[name]) {
        changed ??= { ...value }
        changed[name] = pruned
      }
    }
    this.#above.pop()
    return changed ?? value
  }

  #unknown(name: string, outline: Outline, fields: ReadonlyMap<string, Outline>): void {
    if (this.#left-- <= 0) return
    const path = [...this.#path, name]
    const known = [...fields.keys(), ...outline.unread]
    const meant = nearest(name, known)
    if (meant !== undefined) {
      this.#report(path, `unknown field, ignored; did you mean ${meant}?`)
      return
    }
    const home = this.#above
      .slice(0, -1)
      .findLast(({ outline }) => outline.fields?.has(name) || outline.unread.has(name))
    if (home === undefined) {
      this.#report(path, `unknown field, ignored; known here: ${known.join(', ')}`)
      return
    }
    const levels = this.#path.length - home.path.length
    const where = levels === 1 ? 'one level' : `${levels} levels`
    this.#report(path, `unknown field, ignored; it belongs ${where} up: check the indentation`)
  }
}

const withoutNulls = (value: Fields): Fields =>
  Object.values(value).includes(null)
    ? Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null))
    : value
