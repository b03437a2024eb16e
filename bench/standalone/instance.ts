import { mkdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contender.ts'
import type { Cell } from './figures.ts'
import { type Load, run } from './load.ts'
import { cores, Pinned } from './process.ts'
import type { Scenario } from './scenarios.ts'
import type { Site } from './site.ts'

/** Milliseconds in which a contender has to come up, and once it is up to answer what a scenario asks. */
const patience = { start: 120_000, check: 3_000 } as const

/** Rounds that do not count. */
const warmUps = 2

/** A contender that runs with one of the tables. */
export class Instance {
  readonly contender: string
  readonly site: Site
  readonly #process: Pinned
  #patience: number = patience.start

  static async start(contender: Contender, site: Site): Promise<Instance> {
    await mkdir(site.directory, { recursive: true })
    const command = await contender.prepare(site)
    return new Instance(
      contender.name,
      site,
      new Pinned(contender.name, cores.contender, command, { cwd: site.directory }),
    )
  }

  private constructor(contender: string, site: Site, process: Pinned) {
    this.contender = contender
    this.site = site
    this.#process = process
  }

  /** Resolves when it answers right, with the load that it is to meet and after a taste of it. Throws what is wrong. */
  async ready(scenario: Scenario): Promise<Load> {
    await this.#until(() => scenario.check(this.site))
    const load = await scenario.load(this.site)
    for (let round = 0; round < warmUps; round++) await run(load)
    return load
  }

  async round(load: Load, cell: Cell): Promise<void> {
    const before = await this.#process.cpu()
    const { requests, seconds } = await run(load)
    const spent = (await this.#process.cpu()) - before
    cell.rates.push(requests / seconds)
    cell.cpu.push((spent * 1e6) / requests)
    cell.busy.push(spent / seconds)
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }

  async #until(check: () => Promise<void>): Promise<void> {
    const deadline = performance.now() + this.#patience
    this.#patience = patience.check
    for (;;) {
      if (this.#process.ended) throw new Error(`it has ended: ${this.#process.lastWords}`)
      try {
        return await check()
      } catch (error) {
        if (performance.now() > deadline) throw error
        await sleep(200)
      }
    }
  }
}
