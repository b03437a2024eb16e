import { median } from '../report.ts'
import type { ScenarioName } from './scenarios.ts'

/** A contender with a number of routes in a scenario, round by round. */
export interface Cell {
  readonly scenario: ScenarioName
  readonly contender: string
  readonly routes: number
  /** Requests a second. */
  readonly rates: number[]
  /** CPU time of a request in microseconds. */
  readonly cpu: number[]
  /** Share of its core that the contender took, 0 to 1. */
  readonly busy: number[]
  /** Why there are no figures. */
  fault: string | undefined
}

export class Figures {
  readonly #cells = new Map<string, Cell>()

  cell(scenario: ScenarioName, contender: string, routes: number): Cell {
    const key = `${scenario} ${contender} ${routes}`
    const cell = this.#cells.get(key) ?? {
      scenario,
      contender,
      routes,
      rates: [],
      cpu: [],
      busy: [],
      fault: undefined,
    }
    this.#cells.set(key, cell)
    return cell
  }

  /** Median over the rounds of `of` in one cell over the same in the other; NaN where either was not measured. */
  ratio(of: 'rates' | 'cpu', over: Cell, under: Cell): number {
    if (over.fault !== undefined || under.fault !== undefined || over[of].length === 0) return Number.NaN
    return median(over[of].map((value, round) => value / (under[of][round] ?? Number.NaN)))
  }
}
