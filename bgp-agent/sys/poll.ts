import { poll } from './libc.ts'
import { isLittleEndian } from './socket-address.ts'

/** poll(2): something can be read. Errors and ends are told without being asked for. */
const POLLIN = 1

/** Descriptors that a thread waits for, all at once and without an event loop. */
export class Poll {
  readonly #fds: readonly number[]
  /** struct pollfd: descriptor (4), what is waited for (2), what has come (2). */
  readonly #entries: Uint8Array
  readonly #view: DataView

  constructor(fds: readonly number[]) {
    this.#fds = fds
    this.#entries = new Uint8Array(8 * fds.length)
    this.#view = new DataView(this.#entries.buffer)
    for (const [i, fd] of fds.entries()) {
      this.#view.setInt32(8 * i, fd, isLittleEndian)
      this.#view.setUint16(8 * i + 4, POLLIN, isLittleEndian)
    }
  }

  /** Those that have something to be read, or an error; none after so many milliseconds. Throws SystemError. */
  wait(milliseconds: number): readonly number[] {
    if (poll(this.#entries, milliseconds) === 0) return []
    return this.#fds.filter((_, i) => this.#view.getUint16(8 * i + 6, isLittleEndian) !== 0)
  }
}
