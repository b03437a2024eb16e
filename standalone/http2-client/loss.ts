import { type ClientHttp2Stream, constants } from 'node:http2'
import { ExchangeError } from '../exchange.ts'
import { lossFault } from '../origin-socket/origin-socket.ts'

/** What has happened to an exchange whose stream is closed before the end. `lastStreamId` is the last that the origin worked
 *  on, by its GOAWAY; undefined: it has sent none. */
export function lossOf(
  stream: Pick<ClientHttp2Stream, 'id' | 'rstCode'>,
  error: (Error & { readonly code?: string }) | undefined,
  lastStreamId: number | undefined,
  unheard: boolean,
): ExchangeError {
  const { id, rstCode } = stream
  const isUntouched = id === undefined || id > (lastStreamId ?? id) || rstCode === constants.NGHTTP2_REFUSED_STREAM
  if (isUntouched && unheard) return new ExchangeError('unprocessed', 'the origin refused the stream', true)
  if (error instanceof ExchangeError) return new ExchangeError(error.kind, error.message, unheard)
  const message = error?.message ?? `the stream was closed with ${names.get(rstCode) ?? rstCode}`
  if (error?.code === 'ERR_HTTP2_ERROR' || (error?.code === 'ERR_HTTP2_STREAM_ERROR' && malformed.has(rstCode))) {
    return new ExchangeError('invalid-response', message, unheard)
  }
  return new ExchangeError(error === undefined ? 'connection-lost' : lossFault(error), message, unheard)
}

/** RFC 9113 section 7. What this side sends when it can make nothing of what came. */
const malformed: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
  // For a head that is too large.
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
  constants.NGHTTP2_HTTP_1_1_REQUIRED,
])

const names: ReadonlyMap<number, string> = new Map([
  [constants.NGHTTP2_NO_ERROR, 'NO_ERROR'],
  [constants.NGHTTP2_CANCEL, 'CANCEL'],
])
