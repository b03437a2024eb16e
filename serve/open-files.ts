import { readFileSync } from 'node:fs'

/** More connections are not kept, however many files a process may open. */
const maxConnections = 50_000

/** File descriptors for all that is neither a client nor an origin: listening sockets, manifests, logs, the runtime's own. */
const reserve = 64

/** How many files this process may open. Where the system does not say it as Linux does, there is no such bound. */
export function maxOpenFiles(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** How many clients' connections leave room for as many to origins, and for as many sessions of UDP. */
export const connectionsFor = (openFiles: number): number =>
  Math.max(1, Math.min(maxConnections, Math.floor((openFiles - reserve) / 3)))
