import process from 'node:process'
import { faultsOf } from '../control/faults.ts'
import type { Reading } from '../control/project.ts'
import { statuses } from '../control/status/statuses.ts'
import type { Serving } from '../dev/dev.ts'
import { hostPort } from '../engine/host-port.ts'
import { printFault, summary } from './faults.ts'
import { bad, table } from './terminal.ts'

/** What `landfall dev` serves now: faults first, then a line a listener. */
export function printServing(reading: Reading, { places, faults }: Serving): void {
  const all = faultsOf(reading).filter(({ severity }) => severity !== 'info')
  const byObject = new Map(statuses(reading.compiled, '').map(({ object, status }) => [object, status]))
  const lines = [...all.map(printFault), ...faults.map((fault) => `${bad('error')} ${fault}`)]
  const rows = reading.compiled.gateways.flatMap((gateway) => {
    const { namespace, name } = gateway.state.gateway.metadata
    const own = places.filter(({ gateways }) => gateways.includes(`${namespace}/${name}`))
    return [...gateway.listeners, ...gateway.sets.flatMap((set) => set.listeners)].map(({ owner, listener }) => {
      const { protocol, port, hostname = '*' } = listener
      const at = own.filter(({ listenerPort = port }) => listenerPort === port)
      const urls = at.map(
        (place) => `${place.kind === 'tls' ? 'https' : place.kind}://${hostPort(place.address, place.port)}`,
      )
      const attached = byObject.get(owner)?.listeners?.find((each) => each.name === listener.name)?.attachedRoutes ?? 0
      const of = owner.kind === 'Gateway' ? '' : ` (${owner.metadata.namespace}/${owner.metadata.name})`
      return [
        `${namespace}/${name}`,
        `${listener.name}${of}`,
        `${protocol} ${port}`,
        hostname,
        String(attached),
        urls.join(' '),
      ]
    })
  })
  lines.push(table(['GATEWAY', 'LISTENER', 'PORT', 'HOSTNAME', 'ROUTES', 'SERVED AT'], rows), summary(reading, all))
  process.stdout.write(`${lines.join('\n')}\n`)
}
