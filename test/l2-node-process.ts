import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { ResponderEntry } from '../bgp-agent/l2/responder.ts'

export interface NodeAddress {
  readonly address: string
  /** `eth0` where nothing is said. */
  readonly interfaces?: readonly string[]
  readonly isTakenOver?: boolean
}

/** What test/l2-node.ts is told. */
export type NodeCommand =
  | { readonly type: 'set'; readonly addresses: readonly NodeAddress[] }
  | { readonly type: 'status' }
  /** Its main thread is to be busy for so long. */
  | { readonly type: 'block'; readonly milliseconds: number }
  /** A frame is to be sent as it is. */
  | { readonly type: 'frame'; readonly interfaceIndex: number; readonly hex: string }
  | { readonly type: 'close' }
  | { readonly type: 'exit' }

/** What it tells. */
export type NodeEvent =
  | { readonly type: 'log'; readonly message: string }
  | { readonly type: 'conflict'; readonly address: string; readonly interfaceName: string; readonly mac: string }
  | { readonly type: 'status'; readonly entries: readonly ResponderEntry[] }

/** A responder in a process of its own. */
export class L2NodeProcess {
  readonly events: NodeEvent[] = []
  readonly #child: ChildProcess
  #stderr = ''

  /** `at`: words before the command, which say where. `ownedOn`: an interface, or nothing. */
  constructor(at: readonly string[], ownedOn?: string) {
    const script = join(import.meta.dirname, 'l2-node.ts')
    const words = [...at, process.execPath, script, ...(ownedOn === undefined ? [] : [ownedOn])]
    const [program = '', ...args] = words
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.events.push(JSON.parse(line)))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
  }

  tell(command: NodeCommand): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
  }

  set(...addresses: readonly NodeAddress[]): void {
    this.tell({ type: 'set', addresses })
  }

  /** Resolves with the state of each address and interface, in order. */
  async states(): Promise<readonly string[]> {
    return (await this.entries()).map(({ state }) => state)
  }

  async entries(): Promise<readonly ResponderEntry[]> {
    const before = this.events.length
    this.tell({ type: 'status' })
    for (;;) {
      const status = this.events.slice(before).find((event) => event.type === 'status')
      if (status !== undefined) return status.entries
      if (this.#child.exitCode !== null) throw new Error(`the node has ended: ${this.#stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  get log(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'log' ? [event.message] : []))
  }

  get conflicts(): readonly string[] {
    return this.events.flatMap((event) =>
      event.type === 'conflict' ? [`${event.address} ${event.interfaceName} ${event.mac}`] : [],
    )
  }

  /** Resolves when it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }

  /** Resolves with its exit code when it has ended by itself. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }
}
