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

/** `streams` as TlsBind.streams. */
export function createFrontEnds(
  kind: 'http' | 'tls',
  where: Socketed,
  streams: TlsBind['streams'],
  options: Omit<FrontEndOptions<never>, 'limits'>,
): FrontEnds {
  const http1 = createHttp1Server(options)
  const http2 = createHttp2Server({ ...options, webSocketKey: () => randomBytes(16).toString('base64') })
  const bind: HttpBind | TlsBind =
    kind === 'http' ? { type: 'http', http1, http2, ...where } : { type: 'tls', streams, http1, http2, ...where }
  return { all: [http1, http2], bind }
}
