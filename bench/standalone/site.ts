import type { BenchRoute } from './routes.ts'

/** What a contender is to serve, and where. */
export interface Site {
  /** Loopback address, which is this contender's alone. */
  readonly address: string
  readonly routes: readonly BenchRoute[]
  /** A directory of its own for configuration. */
  readonly directory: string
  readonly certificate: Certificate
}

/** Paths of PEM files. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
  /** Both in one file, as haproxy wants it. */
  readonly both: string
}

/** Ports of every contender. */
export const ports = { http: 18080, https: 18443, passthrough: 19443 } as const

/** What the origin listens on: one address a Service of the routes, one for gRPC in clear HTTP/2, one that streams. */
export const origin = {
  http: ['127.0.78.1:18090', '127.0.78.2:18090', '127.0.78.3:18090', '127.0.78.4:18090'],
  grpc: '127.0.78.5:18091',
  stream: '127.0.78.6:18092',
} as const

/** Says which Service answered. */
export const originHeader = 'x-origin'

export const grpc = { hostname: 'grpc.bench.example.com', service: 'bench.Echo', method: 'Unary' } as const
export const streamHost = 'stream.bench.example.com'

/** Bytes of a small answer, of a large one and of a posted body. */
export const small = '{"message":"a small body, as an API would send it"}'
export const large = 100_000
export const posted = 10_000
