import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One end of a TCP connection, read and written as text in Latin-1, for tests that look at the bytes. */
export class RawConnection {
  readonly socket: Socket
  /** Everything received. */
  received = ''
  /** How the other end closed: undefined while it has not. */
  closed: 'fin' | 'reset' | undefined
  #read = 0
  readonly #waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1')
      this.#look()
    })
    socket.on('end', () => this.#close('fin'))
    socket.on('error', () => this.#close('reset'))
    socket.on('close', () => this.#close('reset'))
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect({ port, host, allowHalfOpen: true })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  write(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** What comes next, up to and with `mark`. */
  until(mark: string): Promise<string> {
    return this.#when(() => {
      const at = this.received.indexOf(mark, this.#read)
      return at < 0 ? undefined : this.#take(at + mark.length)
    }, JSON.stringify(mark))
  }

  take(length: number): Promise<string> {
    return this.#when(() => {
      return this.received.length < this.#read + length ? undefined : this.#take(this.#read + length)
    }, `${length} bytes`)
  }

  /** The next message: its head, and a body as Content-Length or chunked coding frames it, coding and all. */
  async message(): Promise<{ readonly head: string; readonly body: string }> {
    const head = await this.until('\r\n\r\n')
    if (/^transfer-encoding: chunked\r$/im.test(head)) return { head, body: await this.until('0\r\n\r\n') }
    const length = /^content-length: ([0-9]+)\r$/im.exec(head)?.[1] ?? '0'
    return { head, body: await this.take(Number(length)) }
  }

  /** What was received and not yet read when the other end closed. */
  async rest(): Promise<string> {
    await this.#when(() => this.closed, 'the end', true)
    return this.#take(this.received.length)
  }

  #take(end: number): string {
    const text = this.received.slice(this.#read, end)
    this.#read = end
    return text
  }

  #close(how: 'fin' | 'reset'): void {
    this.closed ??= how
    this.#look()
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }

  #when<T>(get: () => T | undefined, what: string, closedIsFine = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const value = get()
        if (value !== undefined) resolve(value)
        else if (this.closed !== undefined && !closedIsFine)
          reject(new Error(`${this.closed} before ${what}: ${this.#tail()}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }

  #tail(): string {
    return JSON.stringify(this.received.slice(this.#read).slice(-500))
  }
}
