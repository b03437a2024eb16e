/**
 * What JSON text means; undefined when it is no JSON, or when an object in it has a field twice, which JSON.parse would
 * hide: the YAML reader, slower, then says where.
 */
export function readJson(text: string): { readonly value: unknown } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return fieldsIn(value) === colonsIn(text) ? { value } : undefined
}

/** Fields of all objects in a value. */
function fieldsIn(value: unknown): number {
  let count = 0
  const rest = [value]
  while (rest.length > 0) {
    const next = rest.pop()
    if (typeof next !== 'object' || next === null) continue
    const parts = Object.values(next)
    if (!Array.isArray(next)) count += parts.length
    for (const part of parts) rest.push(part)
  }
  return count
}

/** Colons outside of strings: one a field. */
function colonsIn(text: string): number {
  let count = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (character === ':' && !quoted) count++
  }
  return count
}

/** Where each JSON text begins in a stream of them, such as jq writes; [0] for anything else. */
export function jsonStarts(text: string): number[] {
  const starts: number[] = []
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted) {
      if (character === '\\') at++
      else if (character === '"') quoted = false
    } else if (character === '{' || character === '[') {
      if (depth++ === 0) starts.push(at)
    } else if (character === '}' || character === ']') depth--
    else if (character === '"') quoted = true
    if (depth < 0 || (depth === 0 && character !== '}' && character !== ']' && !/\s/.test(character ?? ''))) return [0]
  }
  return depth === 0 && !quoted && starts.length > 0 ? starts : [0]
}
