import type { Mirror } from '../proto/gen/route_table.ts'
import { BackendLink } from './backend-link.ts'

/** HTTPRequestMirrorFilter. */
export class MirrorLink extends BackendLink {
  readonly #numerator: number
  readonly #denominator: number

  constructor({ backend, numerator, denominator }: Mirror) {
    super(backend)
    this.#numerator = numerator
    this.#denominator = denominator
  }

  /** Whether a request is one of those to be copied. `random` is in [0, 1). */
  takes(random: () => number): boolean {
    return this.#numerator >= this.#denominator || random() * this.#denominator < this.#numerator
  }
}
