import { Refusal } from './refusal.ts'

/** As ETag says it; 0 for a set that is not there. */
export const tagOf = (version: number): string => `"${version}"`

const tags = /^"(\d{1,15})"(\s*,\s*"\d{1,15}")*$/

/** RFC 9110 section 13.1: which versions of a set If-Match and If-None-Match let a change start from. */
export function preconditionOf(headers: Headers): (version: number) => boolean {
  const [match, noneMatch] = [headers.get('if-match')?.trim(), headers.get('if-none-match')?.trim()]
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw new Refusal(400, 'bad-request', 'If-None-Match can be * only: the set must not be there yet')
  }
  if (match !== undefined && match !== '*' && !tags.test(match)) {
    throw new Refusal(400, 'bad-request', 'If-Match is * or versions in quotes, such as "7"')
  }
  const wanted = match?.match(/\d+/g)?.map(Number)
  return (version) => {
    if (noneMatch === '*' && version > 0) return false
    return match === undefined || (match === '*' ? version > 0 : (wanted?.includes(version) ?? false))
  }
}
