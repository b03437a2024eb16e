import { performance } from 'node:perf_hooks'
import { accessLog } from '../standalone/access-log.ts'
import { DataPlane } from '../standalone/data-plane.ts'
import { Metrics } from '../standalone/metrics.ts'
import { limitedLog } from './limited-log.ts'
import { createLog } from './log.ts'
import { connectionsFor, maxOpenFiles } from './open-files.ts'
import type { Plane, PlaneOptions } from './plane.ts'

/** The data plane of this process. */
export function createPlane({
  addresses,
  accessLog: withLog,
  logLevel,
  proxyProtocol,
  ticketSecret,
  http2,
}: PlaneOptions): Plane {
  const metrics = new Metrics()
  const access = withLog ? accessLog(createLog('info', 1)) : undefined
  const plane = new DataPlane({
    addresses: addresses.length === 0 ? ['::'] : addresses,
    proxyProtocol,
    ticketSecret: Buffer.from(ticketSecret, 'base64'),
    connections: connectionsFor(maxOpenFiles()),
    http2,
    observeRequest: (request) => {
      metrics.count(request)
      access?.(request)
    },
    observeConnection: (report) => metrics.countConnection(report),
    observeDatagrams: (report) => metrics.countDatagrams(report),
    log: limitedLog(createLog(logLevel, 2), () => performance.now()),
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
