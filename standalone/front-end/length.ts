import { type RawHeaders, without } from '../raw-headers.ts'

/** Of a body whose length is not said. */
export const unknownLength = -1

const name = 'content-length'

/** What an answer's head says of its body's length; undefined if it says it in two ways. RFC 9110 section 8.6. */
export function bodyLength(headers: RawHeaders): number | undefined {
  let length: string | undefined
  for (let at = 0; at < headers.length; at += 2) {
    const line = headers[at]
    if (line?.length !== name.length || line.toLowerCase() !== name) continue
    if (length !== undefined) return undefined
    length = headers[at + 1] ?? ''
  }
  if (length === undefined) return unknownLength
  return /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined
}

/** For statuses that may not say a length. */
export const withoutLength = (headers: RawHeaders): string[] => without(headers, name)
