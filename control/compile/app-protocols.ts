import { AppProtocol } from '../../proto/gen/route_table.ts'

/** What a Service port's appProtocol asks for: the Kubernetes Standard Application Protocols (KEP-3726), and the names that
 *  IANA or custom give to the same. */
const known: Readonly<Record<string, { readonly protocol: AppProtocol; readonly tls: boolean }>> = {
  http: { protocol: AppProtocol.HTTP1, tls: false },
  https: { protocol: AppProtocol.HTTP1, tls: true },
  'kubernetes.io/h2c': { protocol: AppProtocol.H2C, tls: false },
  h2c: { protocol: AppProtocol.H2C, tls: false },
  http2: { protocol: AppProtocol.H2C, tls: false },
  grpc: { protocol: AppProtocol.H2C, tls: false },
  'kubernetes.io/ws': { protocol: AppProtocol.WS, tls: false },
  ws: { protocol: AppProtocol.WS, tls: false },
  'kubernetes.io/wss': { protocol: AppProtocol.WS, tls: true },
  wss: { protocol: AppProtocol.WS, tls: true },
}

export interface Speech {
  readonly protocol: AppProtocol
  /** Whether it is spoken within TLS. */
  readonly tls: boolean
  /** A name that is not known is taken for HTTP/1.1. */
  readonly known: boolean
}

export function speechOf(appProtocol: string | undefined): Speech {
  const name = appProtocol?.toLowerCase() ?? 'http'
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  return found === undefined ? { protocol: AppProtocol.HTTP1, tls: false, known: false } : { ...found, known: true }
}
