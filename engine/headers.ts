import type { Header, HeaderModifier } from '../proto/gen/route_table.ts'
import { type HeaderEdit, noEdit } from './decision.ts'

/** What is left to do to one header: its values become `values`, after those that it has if `keeps`. */
interface Change {
  /** As the last modifier wrote it. */
  readonly name: string
  readonly keeps: boolean
  readonly values: readonly string[]
}

/** One edit that has the effect of all modifiers, one after the other. HTTPHeaderFilter. */
export function headerEdit(modifiers: readonly HeaderModifier[]): HeaderEdit {
  const changes = new Map<string, Change>()
  for (const { remove, set, add } of modifiers) {
    for (const name of remove) changes.set(name.toLowerCase(), { name, keeps: false, values: [] })
    for (const [key, { name, value }] of firstOfEach(set)) changes.set(key, { name, keeps: false, values: [value] })
    for (const [key, { name, value }] of firstOfEach(add)) {
      const { keeps, values } = changes.get(key) ?? { keeps: true, values: [] }
      changes.set(key, { name, keeps, values: [...values, value] })
    }
  }
  return changes.size === 0 ? noEdit : asEdit([...changes.values()])
}

/** "Subsequent entries with an equivalent header name MUST be ignored." HTTPHeader.name */
function firstOfEach(headers: readonly Header[]): Map<string, Header> {
  const first = new Map<string, Header>()
  for (const header of headers) {
    const key = header.name.toLowerCase()
    if (!first.has(key)) first.set(key, header)
  }
  return first
}

function asEdit(changes: readonly Change[]): HeaderEdit {
  const remove: string[] = []
  const set: [string, string][] = []
  const add: [string, string][] = []
  for (const { name, keeps, values } of changes) {
    const [first, ...others] = values
    if (keeps) for (const value of values) add.push([name, value])
    else if (first === undefined) remove.push(name)
    else {
      set.push([name, first])
      for (const value of others) add.push([name, value])
    }
  }
  return { remove, set, add }
}
