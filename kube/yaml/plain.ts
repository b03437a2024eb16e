import { resolvePlain } from './scalars.ts'

// Most manifests are written in a small part of YAML: lists and objects by indentation, and values that end on their line.
// Reading that part by hand takes a tenth of the time of the full reader, which decides about everything else.

/** Levels of lists and objects in each other. */
const maxDepth = 50

const field = /^([A-Za-z_][\w./-]*):(?: +(\S.*))?$/
/** A scalar that ends on its line and needs no more than to be taken. */
const plain = /^[\w./+-][!-~ ]*$/
const notPlain = / #|: |:$|^-$|^- |^(?:---|\.\.\.)/
const quoted = /^(?:"[^"\\]*"|'[^']*')$/
const flowList = /^\[(.*)\]$/
const flowObject = /^\{(.*)\}$/
/** One value of a list on one line, and what parts it from the next. */
const flowItem = / *("[^"\\]*"|'[^']*'|[\w./+-][\w./+ -]*?) *(?:,|$)/y
const flowField = / *([A-Za-z_][\w./-]*): +("[^"\\]*"|'[^']*'|[\w./+-][\w./+ -]*?) *(?:,|$)/y

/** Our way out: the text is more than plain. */
class NotPlain extends Error {}

export interface PlainDocument {
  readonly value: unknown
  /** Of the value's beginning, from 0. */
  readonly line: number
}

/** What a document in the plain part of YAML means; undefined for any other text, right or wrong. */
export function readPlainYaml(text: string): PlainDocument | undefined {
  if (/[^\S \n]/.test(text)) return undefined
  try {
    return new Lines(text).document()
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

class Lines {
  readonly #lines: string[]
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#lines = text.split('\n')
  }

  document(): PlainDocument {
    if (this.#lines[0]?.trimEnd() === '---') this.#at = 1
    const indent = this.#indent()
    if (indent === -1) throw new NotPlain()
    const line = this.#at
    const value = this.#block(indent)
    if (this.#indent() !== -1) throw new NotPlain()
    return { value, line }
  }

  /** Spaces before what the next line with content holds; -1 at the end. */
  #indent(): number {
    for (; this.#at < this.#lines.length; this.#at++) {
      const indent = this.#lines[this.#at]?.search(/[^ ]/) ?? -1
      if (indent !== -1 && this.#lines[this.#at]?.[indent] !== '#') return indent
    }
    return -1
  }

  #line(indent: number): string {
    return (this.#lines[this.#at] ?? '').slice(indent).trimEnd()
  }

  #block(indent: number): unknown {
    if (++this.#depth > maxDepth) throw new NotPlain()
    const line = this.#line(indent)
    const value = line === '-' || line.startsWith('- ') ? this.#list(indent) : this.#object(indent)
    this.#depth--
    return value
  }

  #list(indent: number): unknown[] {
    const items: unknown[] = []
    for (let next = indent; next === indent; next = this.#indent()) {
      const line = this.#line(indent)
      if (line === '-') {
        this.#at++
        items.push(this.#below(indent, indent + 1))
      } else if (line.startsWith('- ')) items.push(this.#item(indent, line))
      else return items
    }
    if (this.#indent() > indent) throw new NotPlain()
    return items
  }

  /** What stands behind "- " on the same line, and below it. */
  #item(indent: number, line: string): unknown {
    const start = line.slice(2).search(/[^ ]/) + 2
    const rest = line.slice(start)
    if (!field.test(rest) && !rest.startsWith('- ') && rest !== '-') {
      this.#at++
      return scalar(rest)
    }
    this.#lines[this.#at] = ' '.repeat(indent + start) + rest
    return this.#block(indent + start)
  }

  #object(indent: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let next = indent; next === indent; next = this.#indent()) {
      const [, name, rest] = field.exec(this.#line(indent)) ?? []
      if (name === undefined) throw new NotPlain()
      this.#at++
      add(object, name, rest === undefined ? this.#below(indent, indent) : scalar(rest))
    }
    if (this.#indent() > indent) throw new NotPlain()
    return object
  }

  /** The value of a "field:" or "-" that ends its line. A list of a field may stand as far left as the field: `least`. */
  #below(indent: number, least: number): unknown {
    const next = this.#indent()
    if (next > indent) return this.#block(next)
    return next === least && /^-(?: |$)/.test(this.#line(next)) ? this.#block(next) : null
  }
}

function add(object: Record<string, unknown>, name: string, value: unknown): void {
  if (Object.hasOwn(object, name) || name === '__proto__' || typeof resolvePlain(name) !== 'string')
    throw new NotPlain()
  object[name] = value
}

function scalar(text: string): unknown {
  if (quoted.test(text)) return text.slice(1, -1)
  if (plain.test(text) && !notPlain.test(text)) return resolvePlain(text)
  const items = flowList.exec(text)?.[1]
  if (items !== undefined) return flow(items, flowItem).map(([, value = '']) => scalar(value))
  const fields = flowObject.exec(text)?.[1]
  if (fields === undefined) throw new NotPlain()
  const object: Record<string, unknown> = {}
  for (const [, name = '', value = ''] of flow(fields, flowField)) add(object, name, scalar(value))
  return object
}

/** All parts of the text in a row, which a comma parts; none of an empty text. */
function flow(text: string, part: RegExp): RegExpExecArray[] {
  const found: RegExpExecArray[] = []
  if (text.trim() === '') return found
  part.lastIndex = 0
  while (part.lastIndex < text.length) {
    const match = part.exec(text)
    if (match === null) throw new NotPlain()
    found.push(match)
  }
  return found
}
