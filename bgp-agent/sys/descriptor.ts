import type { Server, Socket } from 'node:net'

/**
 * The file descriptor behind a socket or a server that listens, for options that Node has no words for; undefined where there
 * is none any more. Node keeps it in a property that it does not document, and has for as long as there has been libuv.
 */
export function descriptorOf(socket: Socket | Server): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return undefined
  const fd: unknown = Reflect.get(handle, 'fd')
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}
