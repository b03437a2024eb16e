import { randomBytes } from 'node:crypto'
import type { FrontEnd, FrontEndOptions } from './front-end/front-end.ts'
import { createHttp1Server } from './http1-server/http1-server.ts'
import { createHttp2Server } from './http2-server/http2-server.ts'
import type { HttpBind, Socketed, TlsBind } from './listen/bind.ts'

/** A front end for each version of HTTP, and what leads to them. */
export interface FrontEnds {
  readonly all: readonly FrontEnd[]
  readonly bind: HttpBind | TlsBind
}

export interface FrontEndsOptions extends Omit<FrontEndOptions<never>, 'limits'> {
  /** Whether HTTP/2 is spoken. */
  readonly http2: boolean
}

/** `streams` as TlsBind.streams. */
export function createFrontEnds(
  kind: 'http' | 'tls',
  where: Socketed,
  streams: TlsBind['streams'],
  { http2: withHttp2, ...options }: FrontEndsOptions,
): FrontEnds {
  const http1 = createHttp1Server(options)
  const webSocketKey = (): string => randomBytes(16).toString('base64')
  const http2 = withHttp2 ? createHttp2Server({ ...options, webSocketKey }) : undefined
  const bind: HttpBind | TlsBind =
    kind === 'http' ? { type: 'http', http1, http2, ...where } : { type: 'tls', streams, http1, http2, ...where }
  return { all: http2 === undefined ? [http1] : [http1, http2], bind }
}
