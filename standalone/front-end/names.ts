/**
 * Tells names that are surely none of `watched` (lower case), by their length and first letter: most header lines are of no
 * interest, and need not be turned into lower case to know it. A name that begins with `prefix` is watched, too.
 */
export function ordinaryNames(watched: Iterable<string>, prefix: string): (name: string) => boolean {
  const letters = new Uint32Array(64)
  const watch = (length: number, name: string): void => {
    letters[length] = (letters[length] ?? 0) | firstLetter(name)
  }
  for (const name of watched) watch(name.length, name)
  for (let length = prefix.length; length < letters.length; length++) watch(length, prefix)
  return (name) => name.length < letters.length && ((letters[name.length] ?? 0) & firstLetter(name)) === 0
}

/** A bit for each letter, whatever its case; what is no letter shares one with some. */
const firstLetter = (name: string): number => 1 << ((name.charCodeAt(0) | 0x20) - 0x61)
