import {
  type Instruction,
  IP_HEADER,
  JUMP_IF_EQUAL,
  JUMP_IF_GREATER_OR_EQUAL,
  LOAD_BYTE,
  LOAD_WORD,
  RETURN,
  setFilter,
  WHOLE,
} from './packet-filter.ts'

/** An address that is heard. */
export interface Sender {
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  /** The least TTL or hop limit that its packets may have left. */
  readonly minHops: number
}

/** Of source address and TTL, in octets. RFC 791 section 3.1; RFC 8200 section 3. */
const ipv4 = { source: 12, hops: 8 } as const
const ipv6 = { source: 8, hops: 7 } as const

/** All that others send is dropped in the kernel. */
export function hopFilter(senders: readonly Sender[]): readonly Instruction[] {
  const program = senders.flatMap(({ octets, minHops }) => {
    const at = octets.length === 4 ? ipv4 : ipv6
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
    const words = Array.from({ length: octets.length / 4 }, (_, i) => view.getUint32(4 * i))
    const accept: Instruction[] = [
      [LOAD_BYTE, 0, 0, IP_HEADER + at.hops],
      [JUMP_IF_GREATER_OR_EQUAL, 0, 1, minHops],
      [RETURN, 0, 0, WHOLE],
      [RETURN, 0, 0, 0],
    ]
    return [
      ...words.flatMap((word, i): Instruction[] => [
        [LOAD_WORD, 0, 0, IP_HEADER + at.source + 4 * i],
        // To the next sender, when this is not the one.
        [JUMP_IF_EQUAL, 0, 2 * (words.length - 1 - i) + accept.length, word],
      ]),
      ...accept,
    ]
  })
  return [...program, [RETURN, 0, 0, 0]]
}

/** From here on the socket hears `senders` alone. Throws SystemError, also for more than fit. */
export const setSenders = (fd: number, senders: readonly Sender[]): void => setFilter(fd, hopFilter(senders))
