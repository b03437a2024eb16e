import process from 'node:process'
import type { Supply } from '../serve/source.ts'
import { faultsOf, printFault, summary } from './faults.ts'
import { bad, table } from './terminal.ts'

/** What `landfall serve` serves now, for a person: faults first, then a line a listener. A log has the same for a machine. */
export function printServed({ reading }: Supply, faults: readonly string[]): void {
  if (reading === undefined || process.stdout.isTTY !== true) return
  const all = faultsOf(reading).filter(({ severity }) => severity !== 'info')
  const rows = reading.compiled.gateways.flatMap(({ state, listeners, sets }) => {
    const { namespace, name } = state.gateway.metadata
    const addresses = state.addresses.map(({ value }) => value).join(' ')
    return [...listeners, ...sets.flatMap((set) => set.listeners)].map(({ listener }) => {
      const { protocol, port, hostname = '*' } = listener
      return [`${namespace}/${name}`, listener.name, `${protocol} ${port}`, hostname, addresses]
    })
  })
  const lines = [
    ...all.map(printFault),
    ...faults.map((fault) => `${bad('error')} ${fault}`),
    table(['GATEWAY', 'LISTENER', 'PORT', 'HOSTNAME', 'ADDRESSES'], rows),
    summary(reading, all),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
