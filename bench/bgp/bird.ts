import { connect, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** BIRD's own control socket, since a birdc for each question would take longer than what is measured. */
export class BirdControl {
  readonly #socket: Socket
  readonly #lines: Interface
  #answered: ((lines: readonly string[]) => void) | undefined
  #heard: string[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#lines = createInterface({ input: socket })
    this.#lines.on('line', (line) => this.#hear(line))
  }

  /** Resolves as soon as BIRD answers at `path`. */
  static async at(path: string): Promise<BirdControl> {
    for (let tries = 0; ; tries++) {
      const socket = connect(path)
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      })
      if (isOpen) return new BirdControl(socket)
      if (tries > 100) throw new Error(`BIRD does not answer at ${path}`)
      await sleep(50)
    }
  }

  /** What BIRD says, without the greeting. One question at a time. */
  ask(question: string): Promise<string> {
    return new Promise((resolve) => {
      this.#heard = []
      this.#answered = (lines) => resolve(lines.join('\n'))
      this.#socket.write(`${question}\n`)
    })
  }

  /** `name`: of a Speaker. */
  async isUp(name: string): Promise<boolean> {
    return (await this.ask(`show protocols from_${name}`)).includes('Established')
  }

  /** Routes from a Speaker: a counter of BIRD's, so that to ask is cheap. */
  async imported(name: string): Promise<number> {
    const [, count = '0'] = /Routes: +(\d+) imported/.exec(await this.ask(`show protocols all from_${name}`)) ?? []
    return Number(count)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** The last line of an answer has a blank behind its number, the others a hyphen; further ones begin with a blank. */
  #hear(line: string): void {
    if (line.startsWith('0001 ')) return
    this.#heard.push(line)
    if (!/^\d{4} /.test(line)) return
    this.#answered?.(this.#heard)
    this.#answered = undefined
  }
}
