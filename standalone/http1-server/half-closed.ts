import type { Socket } from 'node:net'

/** Milliseconds until the first look, and between later ones. */
const firstLook = 20
const longestPause = 1_000

const nothing = Buffer.alloc(0)

/**
 * Finds out whether a client that has ended its direction is still there for its answer: shutdown() and close() look the
 * same from here. What is sent to a client that has left is answered with a reset, and writing no bytes fails from then on, and
 * destroys the socket. A client to whom nothing is being sent at the first look, `written` being what was sent before, is
 * taken to have left. Ends when `isAwaited` says no.
 */
export function watchHalfClosed(socket: Socket, written: number, isAwaited: () => boolean): void {
  setTimeout(() => {
    const isSending = socket.bytesWritten !== written || socket.writableLength > 0
    if (isAwaited() && !isSending) socket.destroy()
    else look(socket, isAwaited, 2 * firstLook)
  }, firstLook)
}

function look(socket: Socket, isAwaited: () => boolean, pause: number): void {
  if (socket.destroyed || !isAwaited()) return
  socket.write(nothing)
  setTimeout(() => look(socket, isAwaited, Math.min(2 * pause, longestPause)), pause)
}
