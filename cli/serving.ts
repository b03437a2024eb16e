import process from 'node:process'
import type { Reading } from '../control/project.ts'
import { statuses } from '../control/status/statuses.ts'
import type { Serving } from '../dev/dev.ts'
import { faultsOf, printFault, summary } from './faults.ts'
import { bad, table } from './terminal.ts'

/** What `landfall dev` serves now: faults first, then a line a listener. */
export function printServing(reading: Reading, { sockets, faults }: Serving): void {
  const all = faultsOf(reading).filter(({ severity }) => severity !== 'info')
  const lines = [...all.map(printFault), ...faults.map((fault) => `${bad('error')} ${fault}`)]
  const rows = statuses(reading.compiled, '').flatMap(({ object, status }) => {
    const { kind, metadata } = object
    if (kind !== 'Gateway' && kind !== 'ListenerSet') return []
    return object.spec.listeners.map(({ name, protocol, port, hostname }) => {
      const listener = status.listeners?.find((each) => each.name === name)
      const served = sockets.filter(({ props }) => port === undefined || JSON.stringify(props).includes(`${metadata.namespace}/${metadata.name}`))
      return [`${metadata.namespace}/${metadata.name}`, name, `${protocol} ${port}`, hostname ?? '*', String(listener?.attachedRoutes ?? 0), served.map(({ address }) => `http://${address}`).join(' ')]
    })
  })
  lines.push(table(['GATEWAY', 'LISTENER', 'PORT', 'HOSTNAME', 'ROUTES', 'SERVED AT'], rows), summary(reading, all))
  process.stdout.write(`${lines.join('\n')}\n`)
}
