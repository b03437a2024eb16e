import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { resetStream } from './reset.ts'

/** Joins the stream of a WebSocket and the origin's socket until either ends. `rest` is what the origin sent behind its
 *  answer; `idleTimeout` is in milliseconds without a byte either way. RFC 8441 section 5. */
export function joinStream(stream: ServerHttp2Stream, socket: Duplex, rest: Buffer, idleTimeout: number): void {
  stream.setTimeout(idleTimeout, () => resetStream(stream, constants.NGHTTP2_CANCEL))
  stream.write(rest)
  stream.pipe(socket)
  socket.pipe(stream)
  // 'close' follows.
  socket.on('error', () => {})
  // "a TCP-level reset is represented as a stream error of type CANCEL"
  socket.on('close', () =>
    resetStream(stream, stream.writableEnded ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL),
  )
  stream.on('close', () => socket.destroy())
}
