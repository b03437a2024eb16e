import type { Progress } from './answers.ts'

/** Hands on what is told to all who listen. */
export class ProgressFeed {
  readonly #listeners = new Set<(progress: Progress) => void>()

  get size(): number {
    return this.#listeners.size
  }

  tell(progress: Progress): void {
    for (const listener of this.#listeners) listener(progress)
  }

  /** Gives what ends it. */
  listen(listener: (progress: Progress) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
