import process from 'node:process'
import type { Logger } from 'pino'
import { faultsOf } from '../control/faults.ts'
import { formatProblem } from '../kube/problem.ts'
import { Protocol, Root } from '../proto/gen/route_table.ts'
import { nothingToServe } from '../serve/others-gateways.ts'
import type { Supply } from '../serve/source.ts'
import { summary } from './faults.ts'
import { table } from './terminal.ts'

/** New faults that are written at once; the rest is counted. */
const maxTold = 100

type Level = 'error' | 'warn'

/**
 * Tells what `landfall serve` serves. What is new among the faults goes to the log, and what is mended; to a person's terminal
 * also a line a listener, whenever they are others.
 */
export class Served {
  readonly #controller: string
  readonly #log: Pick<Logger, Level | 'info'>
  readonly #print: ((text: string) => void) | undefined
  /** By sentence. */
  #faults: ReadonlyMap<string, Level> = new Map()
  #table = ''

  /** `print` writes to a person's terminal, where there is one. */
  constructor(
    controller: string,
    log: Pick<Logger, Level | 'info'>,
    print: ((text: string) => void) | undefined = process.stdout.isTTY === true ? printed : undefined,
  ) {
    this.#controller = controller
    this.#log = log
    this.#print = print
  }

  /** `faults`: of the source and the data plane, as sentences. `milliseconds`: until it was in effect. */
  show(supply: Supply, faults: readonly string[], milliseconds: number): void {
    const { feed, reading } = supply
    this.#tell(new Map([...this.#ofReading(supply), ...faults.map((fault) => [fault, 'error'] as const)]))
    this.#log.info({ gateways: feed.roots.length, ms: Math.round(milliseconds) }, 'serving')
    if (this.#print === undefined) return
    const listeners = listenersOf(feed.roots)
    if (listeners !== this.#table) this.#print(`${listeners}\n`)
    this.#table = listeners
    if (reading !== undefined) this.#print(`${summary(reading, faultsOf(reading))}\n`)
  }

  #ofReading({ reading }: Supply): readonly (readonly [string, Level])[] {
    if (reading === undefined) return []
    const nothing = nothingToServe(reading, this.#controller)
    return [
      ...faultsOf(reading).flatMap((fault): (readonly [string, Level])[] => {
        if (fault.severity === 'info') return []
        return [[formatProblem({ ...fault, severity: 'error' }), fault.severity === 'error' ? 'error' : 'warn']]
      }),
      ...(nothing === undefined ? [] : [[nothing, 'warn'] as const]),
    ]
  }

  #tell(faults: ReadonlyMap<string, Level>): void {
    const news = [...faults].filter(([fault]) => !this.#faults.has(fault))
    const mended = [...this.#faults.keys()].filter((fault) => !faults.has(fault))
    for (const [fault, level] of news.slice(0, maxTold)) this.#log[level](fault)
    if (news.length > maxTold)
      this.#log.error(`and ${news.length - maxTold} more; landfall validate and status list all`)
    for (const fault of mended.slice(0, maxTold)) this.#log.info(`no longer: ${fault}`)
    this.#faults = faults
  }
}

function printed(text: string): void {
  process.stdout.write(text)
}

const protocols = new Map<number, string>(Object.entries(Protocol).map(([name, number]) => [number, name]))

function listenersOf(roots: readonly Uint8Array[]): string {
  const rows = roots
    .map((bytes) => Root.decode(bytes))
    .flatMap(({ gateway, listeners, addresses }) =>
      listeners.map(({ id, protocol, port, hostname }) => [
        gateway,
        id,
        `${protocols.get(protocol)} ${port}`,
        hostname === '' ? '*' : hostname,
        addresses.length === 0 ? '*' : addresses.join(' '),
      ]),
    )
  return rows.length === 0 ? '' : table(['GATEWAY', 'LISTENER', 'PORT', 'HOSTNAME', 'ADDRESSES'], rows)
}
