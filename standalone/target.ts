import { isUtf8 } from 'node:buffer'

/** What an origin-form target names: as the URL Standard normalises it, which is what the Worker matches and fetch() sends. */
export interface Target {
  /** Begins with "/", without dot segments; slashes in a row and %2F stay. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** Both, as they are to stand on the wire. */
  readonly text: string
}

/** A target in which that standard has nothing to change: no dot segment, escaped or not, and no character that it escapes. */
const plain = /^(?:\/(?!(?:\.|%2[eE]){1,2}(?:[/?]|$))[\w~!$&'()*+,;=:@.%-]*)+(?:\?[\w~!$&()*+,;=:@./?%-]*)?$/

/** RFC 9112 section 3.2.1, with the characters that clients ought to escape. A fragment is never part of a request. */
const originForm = /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/

/** The target of a request, a character for each byte; undefined for what is none in origin-form. */
export function readTarget(target: string): Target | undefined {
  return plain.test(target) ? split(target) : parsed(target)
}

function split(target: string): Target {
  const mark = target.indexOf('?')
  if (mark === -1) return { path: target, query: '', text: target }
  const path = target.slice(0, mark)
  return { path, query: target.slice(mark + 1), text: mark === target.length - 1 ? path : target }
}

function parsed(target: string): Target | undefined {
  if (!originForm.test(target)) return undefined
  const bytes = Buffer.from(target, 'latin1')
  // The standard would put the same sign for all that is no UTF-8, and so make two paths one.
  if (!isUtf8(bytes)) return undefined
  const url = URL.parse(`http://h${bytes}`)
  if (url === null) return undefined
  return { path: url.pathname, query: url.search.slice(1), text: url.pathname + url.search }
}
