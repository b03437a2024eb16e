import koffi from 'koffi'

// Calls into the C library of Linux. This folder alone touches koffi; numbers are those of Linux on every architecture that
// Node runs on, but for what says otherwise.

const libc = koffi.load(null)

/** A call that failed: which, and errno with its name. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string

  constructor(call: string, errno: number) {
    const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
    super(`${call}: ${code}`)
    this.code = code
  }
}

const socketCall = libc.func('int socket(int domain, int type, int protocol)')
const bindCall = libc.func('int bind(int fd, const void *address, uint32_t length)')
const setsockoptCall = libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)')
/** struct sock_fprog of linux/filter.h. */
const program = koffi.struct({ length: 'uint16_t', instructions: 'const void *' })
const setFilterCall = libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t'])
const closeCall = libc.func('int close(int fd)')

function checked(call: string, result: number): number {
  if (result === -1) throw new SystemError(call, koffi.errno())
  return result
}

/** A file descriptor that is not inherited and does not block. Throws SystemError. */
export const socket = (domain: number, type: number, protocol: number): number =>
  checked('socket', socketCall(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol))

/** Throws SystemError. */
export function bind(fd: number, address: Uint8Array): void {
  checked('bind', bindCall(fd, address, address.length))
}

/** Throws SystemError. */
export function setOption(fd: number, level: number, option: number, value: number | Uint8Array): void {
  const bytes = typeof value === 'number' ? new Uint8Array(Int32Array.of(value).buffer) : value
  checked('setsockopt', setsockoptCall(fd, level, option, bytes, bytes.length))
}

/** A program of classic BPF, eight octets an instruction, decides from here on which packets the socket gets. Throws SystemError. */
export function attachFilter(fd: number, instructions: Uint8Array): void {
  const value = { length: instructions.length / 8, instructions }
  checked('setsockopt', setFilterCall(fd, SOL_SOCKET, SO_ATTACH_FILTER, value, koffi.sizeof(program)))
}

export const close = (fd: number): void => {
  closeCall(fd)
}

/** socket(2). */
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
/** socket(7). */
const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26
