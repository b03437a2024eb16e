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
const recvCall = libc.func('long recv(int fd, _Out_ void *bytes, size_t length, int flags)')
const sendCall = libc.func('long send(int fd, const void *bytes, size_t length, int flags)')
const pollCall = libc.func('int poll(_Inout_ void *entries, unsigned long count, int timeout)')
const schedulerCall = libc.func('int sched_setscheduler(int pid, int policy, const void *parameter)')
const eventfdCall = libc.func('int eventfd(uint32_t value, int flags)')

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

/** How many octets have come into `bytes`; undefined: nothing is there. Throws SystemError. */
export function receive(fd: number, bytes: Uint8Array): number | undefined {
  const length: number = recvCall(fd, bytes, bytes.length, 0)
  if (length !== -1) return length
  const errno = koffi.errno()
  if (errno === koffi.os.errno.EAGAIN || errno === koffi.os.errno.EINTR) return undefined
  throw new SystemError('recv', errno)
}

/** Throws SystemError. */
export function send(fd: number, bytes: Uint8Array): void {
  checked('send', sendCall(fd, bytes, bytes.length, 0))
}

/** Waits for entries of eight octets each, as poll(2) has them, and writes what has become of them there. Gives how many are
 *  ready; none also when a signal has come. Throws SystemError. */
export function poll(entries: Uint8Array, milliseconds: number): number {
  const ready: number = pollCall(entries, entries.length / 8, milliseconds)
  if (ready === -1 && koffi.errno() === koffi.os.errno.EINTR) return 0
  return checked('poll', ready)
}

/** The thread that calls goes before all of the ordinary kind, but not what it starts. 1 to 99, most first. sched(7). Throws
 *  SystemError. */
export function setRealTime(priority: number): void {
  const parameter = new Uint8Array(Int32Array.of(priority).buffer)
  checked('sched_setscheduler', schedulerCall(0, SCHED_FIFO | SCHED_RESET_ON_FORK, parameter))
}

/** A descriptor that can be read once something has been written to it. eventfd(2). Throws SystemError. */
export const eventDescriptor = (): number => checked('eventfd', eventfdCall(0, SOCK_NONBLOCK | SOCK_CLOEXEC))

export const close = (fd: number): void => {
  closeCall(fd)
}

/** socket(2). */
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
/** Also EFD_NONBLOCK and EFD_CLOEXEC. */
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
/** linux/sched.h. */
const SCHED_FIFO = 1
const SCHED_RESET_ON_FORK = 0x40000000
/** socket(7). */
const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26
