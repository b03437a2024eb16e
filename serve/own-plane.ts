import { pino } from 'pino'
import { accessLog } from '../standalone/access-log.ts'
import { DataPlane } from '../standalone/data-plane.ts'
import { Metrics } from '../standalone/metrics.ts'
import type { Plane, PlaneOptions } from './plane.ts'

/** The data plane of this process. */
export function createPlane({ addresses, accessLog: withLog, proxyProtocol, ticketSecret }: PlaneOptions): Plane {
  const log = pino({ base: null }, pino.destination({ dest: 2, sync: true }))
  const metrics = new Metrics()
  const access = withLog ? accessLog(pino({ base: null }, pino.destination({ dest: 1, sync: false }))) : undefined
  const plane = new DataPlane({
    addresses: addresses.length === 0 ? ['::'] : addresses,
    proxyProtocol,
    ticketSecret: Buffer.from(ticketSecret, 'base64'),
    observeRequest: (request) => {
      metrics.count(request)
      access?.(request)
    },
    observeConnection: (report) => metrics.countConnection(report),
    observeDatagrams: (report) => metrics.countDatagrams(report),
    log: (event, fields) => log.warn(fields, event),
  })
  return {
    apply: async (feed) => {
      const faults = await plane.apply(feed)
      metrics.serve(plane.tables)
      return faults
    },
    metrics: async () => [await metrics.registry.getMetricsAsJSON()],
    close: (grace) => plane.close(grace),
  }
}
