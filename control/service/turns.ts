import { Refusal } from './refusal.ts'

/** Pushes that wait for the one under way. */
const maxWaiting = 8

/** One push at a time, in the order in which they come. */
export interface Turns {
  run<T>(job: () => Promise<T>): Promise<T>
}

/** Within one process, which is the only one. */
export class OwnTurns implements Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#waiting > maxWaiting) {
      return Promise.reject(new Refusal(503, 'busy', 'too many pushes wait already', { retryAfter: 5 }))
    }
    this.#waiting++
    const turn = this.#last.then(job).finally(() => this.#waiting--)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Resolves when nothing is under way. */
  async rest(): Promise<void> {
    await this.#last
  }
}
