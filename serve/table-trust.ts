import type { webcrypto } from 'node:crypto'
import { type Trust, TrustedRoots } from '../engine/trusted-roots.ts'
import type { SeenSequences } from './seen-sequences.ts'

/** Whose tables a process takes, and how it remembers which were the newest. */
export class TableTrust {
  readonly roots: TrustedRoots<webcrypto.CryptoKey>
  readonly #sequences: SeenSequences | undefined
  /** What the file has for sure. */
  #kept: ReadonlyMap<string, number>

  private constructor(trust: Trust, seen: ReadonlyMap<string, number>, sequences: SeenSequences | undefined) {
    this.roots = new TrustedRoots(trust, crypto.subtle, seen)
    this.#sequences = sequences
    this.#kept = seen
  }

  /** Without `sequences`, all is forgotten with the process. Rejects where they cannot be read. */
  static async open(trust: Trust, sequences?: SeenSequences): Promise<TableTrust> {
    return new TableTrust(trust, (await sequences?.read()) ?? new Map(), sequences)
  }

  /** Keeps what was seen, where that is new, and says why it cannot be kept. */
  async remember(): Promise<readonly string[]> {
    const seen = new Map(this.roots.seen)
    if (this.#sequences === undefined || [...seen].every(([key, at]) => this.#kept.get(key) === at)) return []
    try {
      await this.#sequences.keep(seen)
      this.#kept = seen
      return []
    } catch (error) {
      return [`the sequences of the tables cannot be kept: ${error instanceof Error ? error.message : String(error)}`]
    }
  }
}
