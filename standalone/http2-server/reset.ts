import type { ServerHttp2Stream } from 'node:http2'

/**
 * Resets a stream with an error code of RFC 9113 section 7. Not now: while node:http2 is telling something it puts a reset off, and
 * forgets it with the stream if that ends meanwhile. nghttp2, which knows nothing of that, then asks for more of the body without
 * end, and the process does nothing else any more.
 */
export function resetStream(stream: ServerHttp2Stream, code: number): void {
  setImmediate(() => stream.close(code))
}
