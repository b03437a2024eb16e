import type { Logger } from 'pino'
import type { Observer } from './access.ts'

/** A line of JSON for each request, once it is over. */
export const accessLog =
  (logger: Logger): Observer =>
  ({ request, gateway, matched, status, why, endpoint, tries, duration, bytesReceived, bytesSent }) => {
    const { method, authority, path, version, peer } = request
    logger.info({
      client: peer.address,
      method,
      authority,
      // Without the query, which may hold what nobody should read.
      path,
      version,
      status,
      gateway,
      route: matched?.route,
      rule: matched?.rule,
      endpoint: endpoint && `${endpoint.address} ${endpoint.port}`,
      why,
      tries,
      ms: Math.round(duration),
      received: bytesReceived,
      sent: bytesSent,
      // W3C Trace Context: the line finds its way into the trace that the request belongs to.
      traceparent: request.header('traceparent'),
    })
  }
