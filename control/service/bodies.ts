import { Refusal } from './refusal.ts'

/** Bounds how many large bodies are in memory at a time. */
export class Bodies {
  readonly #most: number
  #held = 0

  constructor(most: number) {
    this.#most = most
  }

  async use<T>(job: () => Promise<T>): Promise<T> {
    if (this.#held >= this.#most) throw new Refusal(503, 'busy', 'too many pushes are under way', { retryAfter: 2 })
    this.#held++
    try {
      return await job()
    } finally {
      this.#held--
    }
  }
}
