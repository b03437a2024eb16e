import type { Socket } from 'node:net'

const nothing: Buffer = Buffer.alloc(0)

/**
 * The first bytes of a connection, kept until it is clear who takes it over. They go back into the socket only then, and
 * all at once: a socket that has bytes put back is readable at once, and would spin.
 */
export class Peek {
  readonly #socket: Socket
  #bytes = nothing
  #length = 0

  /** Of a socket that nobody has read from. */
  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Gives `read` all bytes so far, again whenever there are more, until it has a verdict. undefined: the client has ended
   * or lost the connection before.
   */
  until<Verdict>(read: (bytes: Buffer) => Verdict | undefined): Promise<Verdict | undefined> {
    const socket = this.#socket
    return new Promise((resolve) => {
      const look = (): boolean => {
        const verdict = read(this.#bytes.subarray(0, this.#length))
        if (verdict !== undefined) finish(verdict)
        return verdict !== undefined
      }
      const more = (): void => {
        for (let bytes = socket.read(); bytes !== null; bytes = socket.read()) {
          this.#keep(bytes)
          if (look()) return
        }
      }
      const ended = (): void => finish(undefined)
      const finish = (verdict: Verdict | undefined): void => {
        socket.off('readable', more)
        socket.off('end', ended)
        socket.off('close', ended)
        resolve(verdict)
      }
      if (this.#length > 0 && look()) return
      if (socket.destroyed || socket.readableEnded) {
        resolve(undefined)
        return
      }
      socket.on('readable', more)
      socket.on('end', ended)
      socket.on('close', ended)
    })
  }

  /** The first `length` bytes are done with. */
  skip(length: number): void {
    this.#length -= length
    // A connection may live long, and what it began with is not to live with it.
    this.#bytes = this.#length === 0 ? nothing : this.#bytes.subarray(length, length + this.#length)
  }

  /** The bytes so far; they are the caller's now. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.skip(this.#length)
    return bytes
  }

  #keep(bytes: Buffer): void {
    const length = this.#length + bytes.length
    if (this.#length === 0) this.#bytes = bytes
    else {
      // Twice as much as is needed, so that a client's single bytes are not copied again for each.
      if (length > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes.subarray(0, this.#length)], length * 2)
      bytes.copy(this.#bytes, this.#length)
    }
    this.#length = length
  }
}
