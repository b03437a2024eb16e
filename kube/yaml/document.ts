import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { FieldPath } from '../rule.ts'
import { firstFault } from './faults.ts'
import { readJson } from './json.ts'
import { yamlSchema } from './scalars.ts'
import { newlines } from './split.ts'
import { toValue } from './value.ts'

/** One YAML or JSON document. Lines count from 0 at its first. */
export type Document =
  | { readonly value: unknown; readonly line: number }
  | { readonly fault: string; readonly line: number }

// Duplicate keys are found by toValue, in time linear in their number.
const options = { schema: yamlSchema, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const

/** Characters that YAML has no place for. YAML 1.2.2 section 5.1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/

/** Characters of the longest YAML document that is read: reading takes about a hundred times its size in memory. */
const maxYaml = 8 * 1024 * 1024

const lineAt = (text: string, offset: number): number => newlines(text.slice(0, offset))

export function readDocument(text: string): Document {
  const strange = text.search(control)
  if (strange !== -1) {
    const code = text.charCodeAt(strange).toString(16).padStart(2, '0')
    return { fault: `holds the control character 0x${code}, which is no text; remove it`, line: lineAt(text, strange) }
  }
  const start = text.search(/\S/)
  const json = text[start] === '{' ? readJson(text) : undefined
  return json === undefined ? readYaml(text) : { value: json.value, line: lineAt(text, start) }
}

function readYaml(text: string): Document {
  if (text.length > maxYaml) {
    return {
      fault: 'is a document of more than 8 MiB; part its objects by lines of "---", or write it as JSON',
      line: 0,
    }
  }
  const document = parseDocument(text, options)
  const fault = firstFault(document, text)
  if (fault !== undefined) return { fault: fault.message, line: lineAt(text, fault.offset) }
  const read = toValue(document.contents)
  if ('fault' in read) return { fault: read.fault.message, line: lineAt(text, read.fault.offset) }
  return { value: read.value, line: lineAt(text, document.contents?.range[0] ?? 0) }
}

/** Finds the lines of a document's fields. Reads the document a second time, on first use. */
export class FieldLines {
  readonly #text: string
  #read:
    | { readonly contents: unknown; readonly counter: LineCounter; readonly anchors: Map<string, unknown> }
    | undefined

  constructor(text: string) {
    this.#text = text
  }

  /** From 0; of the nearest object or list around the field where the field itself is not there. 0 in a huge document. */
  line(path: FieldPath): number {
    if (this.#text.length > maxYaml) return 0
    this.#read ??= readTree(this.#text)
    const { contents, counter, anchors } = this.#read
    let node = contents
    let offset = startOf(node) ?? 0
    for (const step of path) {
      if (isAlias(node)) node = anchors.get(node.source)
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
        if (pair === undefined) break
        offset = startOf(pair.key) ?? offset
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(step)]
        offset = startOf(node) ?? offset
      } else break
    }
    return Math.max(counter.linePos(offset).line - 1, 0)
  }
}

function readTree(text: string) {
  const counter = new LineCounter()
  const { contents } = parseDocument(text, { ...options, lineCounter: counter })
  const anchors = new Map<string, unknown>()
  const rest: unknown[] = [contents]
  while (rest.length > 0) {
    const node = rest.pop()
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) continue
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
    if (isMap(node)) for (const { value } of node.items) rest.push(value)
    if (isSeq(node)) for (const item of node.items) rest.push(item)
  }
  return { contents, counter, anchors }
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined
}
