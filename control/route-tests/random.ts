/** Numbers in [0, 1), the same for the same seed: a counter whose bits murmur3's last step mixes. */
export function seeded(seed: number): () => number {
  let counter = Math.imul(seed, 0x85ebca6b)
  return () => {
    counter = (counter + 0x9e3779b9) | 0
    let bits = counter ^ (counter >>> 16)
    bits = Math.imul(bits, 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32
  }
}
