import { kinds, objectKey } from './objects.ts'
import type { FieldPath } from './rule.ts'
import { type Fault, type Validated, validate } from './validate.ts'
import { FieldLines, readDocument } from './yaml/document.ts'

/** An object of a document, or what could not become one. Lines count from 0 at the document's first. */
export interface Entry extends Omit<Validated, 'faults'> {
  /** From the document to the object: [] unless the document is a list. */
  readonly path: FieldPath
  /** objectKey of the object that is meant; undefined where nobody knows, and for kinds that Landfall does not read. */
  readonly key: string | undefined
  readonly faults: readonly (Fault & { readonly line: number })[]
}

/** All that one document's text says, wherever it stands. */
export interface ParsedDocument {
  readonly entries: readonly Entry[]
  /** Why nothing of it can be read. */
  readonly fault: { readonly message: string; readonly line: number } | undefined
  /** Line of its first value. */
  readonly line: number
  readonly lines: FieldLines
}

export function parseDocument(text: string): ParsedDocument {
  const lines = new FieldLines(text)
  const read = readDocument(text)
  if ('fault' in read) return { entries: [], fault: { message: read.fault, line: read.line }, line: read.line, lines }
  const entries = objectsIn(read.value).map(({ value, path }): Entry => {
    const validated = validate(value)
    const faults = validated.faults.map((fault) => ({
      ...fault,
      line: path.length + fault.path.length === 0 ? read.line : lines.line([...path, ...fault.path]),
    }))
    return { ...validated, path, key: keyOf(validated), faults: faults.toSorted((a, b) => a.line - b.line) }
  })
  return { entries, fault: undefined, line: read.line, lines }
}

const keyOf = ({ kind, namespace, name, object, faults }: Validated): string | undefined => {
  const isRead = object !== undefined || faults.length > 0
  return isRead && name !== '' && Object.hasOwn(kinds, kind) ? objectKey(kind, namespace, name) : undefined
}

interface Found {
  readonly value: unknown
  readonly path: FieldPath
}

/** Steps to an item of a list in a list in a list: further in, a list is an object like another. */
const maxPath = 6

/** A document's object, or the objects of a List. The items of an HTTPRouteList may leave out what they are. */
function objectsIn(value: unknown, path: FieldPath = []): Found[] {
  if (value === null || value === undefined) return []
  const isList = typeof value === 'object' && 'kind' in value && 'items' in value && path.length < maxPath
  if (!isList) return [{ value, path }]
  const { kind, items } = value
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ value, path }]
  const itemKind = kind.slice(0, -'List'.length)
  const apiVersion = 'apiVersion' in value ? value.apiVersion : undefined
  return items.flatMap((item: unknown, index) => {
    const known = itemKind === '' || typeof item !== 'object' || item === null || Array.isArray(item)
    return objectsIn(known ? item : { apiVersion, kind: itemKind, ...item }, [...path, 'items', index])
  })
}
