/** How many bytes two texts have in common at their beginning, and behind that at their end. Compares pieces, not bytes: a text of
 *  100 MB takes milliseconds. */
export function commonEnds(a: Uint8Array, b: Uint8Array): { readonly prefix: number; readonly suffix: number } {
  const shorter = Math.min(a.length, b.length)
  const prefix = most(shorter, (from, to) => isSame(a.subarray(from, to), b.subarray(from, to)))
  const suffix = most(shorter - prefix, (from, to) =>
    isSame(a.subarray(a.length - to, a.length - from), b.subarray(b.length - to, b.length - from)),
  )
  return { prefix, suffix }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** The largest number up to `limit` below which it holds. */
function most(limit: number, holds: (from: number, to: number) => boolean): number {
  let low = 0
  let high = limit
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    if (holds(low, middle)) low = middle
    else high = middle - 1
  }
  return low
}
