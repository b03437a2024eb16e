import type { Progress } from './answers.ts'
import type { Version } from './history.ts'

/** Counters, in the text format of Prometheus, version 0.0.4. */
export class Metrics {
  readonly #pushes = { published: 0, refused: 0, failed: 0 }
  #entries = 0
  readonly #answers = new Map<number, number>()

  count({ step, written = 0, total = -1 }: Progress): void {
    if (step === 'published' || step === 'refused' || step === 'failed') this.#pushes[step]++
    if (written === total) this.#entries += total
  }

  answered(status: number): void {
    this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1)
  }

  /** With the versions of sets as they are now. */
  text(all: readonly Version[]): string {
    return `${[
      '# TYPE landfall_control_pushes_total counter',
      ...Object.entries(this.#pushes).map(([end, n]) => `landfall_control_pushes_total{outcome="${end}"} ${n}`),
      '# TYPE landfall_control_entries_written_total counter',
      `landfall_control_entries_written_total ${this.#entries}`,
      '# TYPE landfall_control_answers_total counter',
      ...[...this.#answers].map(([status, n]) => `landfall_control_answers_total{status="${status}"} ${n}`),
      '# TYPE landfall_control_set_version gauge',
      ...all.map(({ set, version }) => `landfall_control_set_version{set="${set}"} ${version}`),
      '# TYPE landfall_control_unpublished_sets gauge',
      `landfall_control_unpublished_sets ${all.filter(({ state }) => state === 'publishing').length}`,
    ].join('\n')}\n`
  }
}
