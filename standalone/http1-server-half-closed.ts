import type { Socket } from 'node:net'

/** Milliseconds until the first look, and between later ones. */
const firstLook = 20
const longestPause = 1_000

const nothing = Buffer.alloc(0)

/**
 * Finds out whether a client that has ended its direction is still there for its answer: shutdown() and close() look the
 * same from here. Once the client's kernel has answered something that was sent with a reset, or has not answered ten
 * keep-alive probes, writing no bytes fails, and so destroys the socket. Ends when `isAwaited` says no.
 */
export function watchHalfClosed(socket: Socket, isAwaited: () => boolean): void {
  socket.setKeepAlive(true, 1_000)
  look(socket, isAwaited, firstLook)
}

function look(socket: Socket, isAwaited: () => boolean, pause: number): void {
  setTimeout(() => {
    if (socket.destroyed || !isAwaited()) return
    socket.write(nothing)
    look(socket, isAwaited, Math.min(2 * pause, longestPause))
  }, pause)
}
