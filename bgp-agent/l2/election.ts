/** A node that may answer for an address, and is there to do so. */
export interface Candidate {
  readonly node: string
  /** Of two that call themselves the same, the later one has the address. */
  readonly incarnation: number
  readonly preference: number
}

/**
 * Who has an address: of the candidates with the greatest preference the one that the address and the name weigh most for
 * (rendezvous hashing). So addresses are spread evenly, and when a node comes or goes, none moves but those that it gets or had.
 */
export function elect<C extends Candidate>(address: string, candidates: Iterable<C>): C | undefined {
  const of = hash(address)
  let best: C | undefined
  for (const candidate of candidates) if (best === undefined || isBefore(candidate, best, of)) best = candidate
  return best
}

function isBefore(a: Candidate, b: Candidate, address: number): boolean {
  if (a.preference !== b.preference) return a.preference > b.preference
  if (a.node === b.node) return a.incarnation > b.incarnation
  const [weightOfA, weightOfB] = [mixed(address ^ hash(a.node)), mixed(address ^ hash(b.node))]
  return weightOfA === weightOfB ? a.node < b.node : weightOfA > weightOfB
}

/** FNV-1a, of 32 bits, mixed: the same on every node. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return mixed(value)
}

/** Each bit of 32 depends on all: the end of MurmurHash3. */
function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
