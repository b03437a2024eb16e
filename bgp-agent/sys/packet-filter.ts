import { attachFilter } from './libc.ts'
import { isLittleEndian } from './socket-address.ts'

/** One instruction of classic BPF: code, jumps if true and if false, operand. linux/filter.h. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

export const LOAD_WORD = 0x20
export const LOAD_BYTE = 0x30
export const JUMP_IF_EQUAL = 0x15
export const JUMP_IF_GREATER_OR_EQUAL = 0x35
export const RETURN = 0x06

/** Where the IP header begins, whatever the socket is for. SKF_NET_OFF. */
export const IP_HEADER = 0xfff00000
/** Whom a packet is for, as packet(7) has it. SKF_AD_OFF + SKF_AD_PKTTYPE. */
export const PACKET_TYPE = 0xfffff004

/** What RETURN gives for a packet that is taken, with all its octets. */
export const WHOLE = 0xffffffff

/** From here on the socket hears what `program` takes alone. Throws SystemError, also for a program that is too long. */
export function setFilter(fd: number, program: readonly Instruction[]): void {
  const bytes = new Uint8Array(8 * program.length)
  const view = new DataView(bytes.buffer)
  for (const [i, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    view.setUint16(8 * i, code, isLittleEndian)
    view.setUint8(8 * i + 2, ifTrue)
    view.setUint8(8 * i + 3, ifFalse)
    view.setUint32(8 * i + 4, operand, isLittleEndian)
  }
  attachFilter(fd, bytes)
}
