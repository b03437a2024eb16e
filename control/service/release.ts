/**
 * Gives memory outside of V8's heap back at once, where all of a buffer is these bytes, which nobody may use any more. When 64 MB of it
 * wait to be collected, V8 goes through all of its heap, which takes most of a second beside a large set.
 */
export function release({ buffer, length }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0)
}
