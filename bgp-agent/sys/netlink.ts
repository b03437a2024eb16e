import { AF_NETLINK, bind, close, receive, SOCK_RAW, SystemError, send, socket } from './libc.ts'
import { isLittleEndian } from './socket-address.ts'

// Messages of rtnetlink. netlink(7), rtnetlink(7); numbers are those of linux/netlink.h.
//
//   |  length (4)  |  type (2)  |  flags (2)  |  sequence (4)  |  port (4)  |  payload, to a multiple of four octets …
//
// An attribute of a payload:
//
//   |  length (2)  |  type (2)  |  value, to a multiple of four octets …

export interface NetlinkMessage {
  readonly type: number
  /** A fixed part, as the type has it, and attributes. */
  readonly payload: Uint8Array
}

const NETLINK_ROUTE = 0

const NLMSG_ERROR = 2
const NLMSG_DONE = 3

const NLM_F_REQUEST = 0x1
const NLM_F_ACK = 0x4
/** NLM_F_ROOT and NLM_F_MATCH. */
const NLM_F_DUMP = 0x300
/** For what is to be made, and is not there yet. */
export const NLM_F_CREATE_NEW = 0x600

const HEADER = 16
/** The kernel gives no more of a dump at once. */
const BUFFER = 65_536

/** A socket on which the kernel is asked, or tells of changes. It answers before it returns from what is sent to it. */
export class Netlink {
  readonly fd: number
  readonly #buffer = new Uint8Array(BUFFER)
  #sequence = 0

  /** `groups`: bits of what is told unasked, RTMGRP_… of rtnetlink(7). Throws SystemError. */
  constructor(groups = 0) {
    this.fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
    // struct sockaddr_nl: family (2), nothing (2), port (4, 0: the kernel's choice), groups (4).
    const address = new Uint8Array(12)
    const view = new DataView(address.buffer)
    view.setUint16(0, AF_NETLINK, isLittleEndian)
    view.setUint32(8, groups, isLittleEndian)
    try {
      bind(this.fd, address)
    } catch (error) {
      close(this.fd)
      throw error
    }
  }

  /** Throws SystemError in the name of `call` where the kernel does not do it. */
  change(call: string, type: number, flags: number, payload: Uint8Array): void {
    const sequence = this.#send(type, NLM_F_ACK | flags, payload)
    for (const { type: answer, payload: rest } of this.#answers(sequence)) {
      if (answer !== NLMSG_ERROR) continue
      const errno = errorOf(rest)
      if (errno !== 0) throw new SystemError(call, errno)
      return
    }
  }

  /** All that there is of a kind. Throws SystemError. */
  list(call: string, type: number, payload: Uint8Array): readonly NetlinkMessage[] {
    const sequence = this.#send(type, NLM_F_DUMP, payload)
    const found: NetlinkMessage[] = []
    for (const message of this.#answers(sequence)) {
      if (message.type === NLMSG_DONE) break
      if (message.type === NLMSG_ERROR) throw new SystemError(call, errorOf(message.payload))
      found.push(message)
    }
    return found
  }

  /** Leaves what has been told unasked, or has been lost because it was too much. */
  discard(): void {
    for (;;)
      try {
        if (receive(this.fd, this.#buffer) === undefined) return
      } catch (error) {
        if (!(error instanceof SystemError) || error.code !== 'ENOBUFS') throw error
      }
  }

  close(): void {
    close(this.fd)
  }

  #send(type: number, flags: number, payload: Uint8Array): number {
    const bytes = new Uint8Array(HEADER + payload.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, bytes.length, isLittleEndian)
    view.setUint16(4, type, isLittleEndian)
    view.setUint16(6, NLM_F_REQUEST | flags, isLittleEndian)
    view.setUint32(8, ++this.#sequence, isLittleEndian)
    bytes.set(payload, HEADER)
    send(this.fd, bytes)
    return this.#sequence
  }

  /** What has come to a question, for as long as something comes. */
  *#answers(sequence: number): Generator<NetlinkMessage> {
    for (;;) {
      const length = receive(this.fd, this.#buffer)
      if (length === undefined) return
      for (const message of messagesOf(this.#buffer.slice(0, length))) if (message.sequence === sequence) yield message
    }
  }
}

/** Messages one behind the other; what is cut off is left out. */
export function* messagesOf(bytes: Uint8Array): Generator<NetlinkMessage & { readonly sequence: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = view.getUint32(at, isLittleEndian)
    if (length < HEADER || at + length > bytes.length) return
    yield {
      type: view.getUint16(at + 4, isLittleEndian),
      sequence: view.getUint32(at + 8, isLittleEndian),
      payload: bytes.subarray(at + HEADER, at + length),
    }
    at += aligned(length)
  }
}

/** Attributes by type, behind the fixed part of a payload; what is cut off is left out. */
export function attributesOf(payload: Uint8Array, fixed: number): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const attributes = new Map<number, Uint8Array>()
  for (let at = fixed; at + 4 <= payload.length; ) {
    const length = view.getUint16(at, isLittleEndian)
    if (length < 4 || at + length > payload.length) break
    attributes.set(view.getUint16(at + 2, isLittleEndian) & TYPE, payload.subarray(at + 4, at + length))
    at += aligned(length)
  }
  return attributes
}

export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(4 + value.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 4 + value.length, isLittleEndian)
  view.setUint16(2, type, isLittleEndian)
  bytes.set(value, 4)
  return bytes
}

/** A number as the kernel has it, four octets. */
export function u32Value(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, isLittleEndian)
  return bytes
}

/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE = 0x3fff

const aligned = (length: number): number => (length + 3) & ~3

/** struct nlmsgerr: errno, negative (4); then what it is about. */
const errorOf = (payload: Uint8Array): number =>
  payload.length < 4 ? 0 : -new DataView(payload.buffer, payload.byteOffset).getInt32(0, isLittleEndian)
