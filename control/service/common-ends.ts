/** How many bytes two texts have in common at their beginning, and behind that at their end. Compares pieces, not bytes: a text of
 *  100 MB takes milliseconds. */
export function commonEnds(a: Uint8Array, b: Uint8Array): { readonly prefix: number; readonly suffix: number } {
  const shorter = Math.min(a.length, b.length)
  const isSame = (from: number, to: number): boolean => Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0
  const prefix = most(shorter, isSame)
  const suffix = most(
    shorter - prefix,
    (from, to) =>
      Buffer.compare(a.subarray(a.length - to, a.length - from), b.subarray(b.length - to, b.length - from)) === 0,
  )
  return { prefix, suffix }
}

/** The largest number up to `limit` below which everything is the same. */
function most(limit: number, isSame: (from: number, to: number) => boolean): number {
  let low = 0
  let high = limit
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    if (isSame(low, middle)) low = middle
    else high = middle - 1
  }
  return low
}
