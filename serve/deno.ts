import { type Listener, Protocol, Root } from '../proto/gen/route_table.ts'
import type { Feed } from '../standalone/feed.ts'

export interface Servable {
  readonly feed: Feed
  /** What is left out, as sentences. */
  readonly faults: readonly string[]
}

/** A feed without the listeners that Deno cannot serve. */
export function servableByDeno(feed: Feed): Servable {
  const faults: string[] = []
  const roots = feed.roots.map((bytes) => {
    const root = Root.decode(bytes)
    const listeners = root.listeners.filter((listener) => {
      const reason = reasonAgainst(listener)
      if (reason !== undefined)
        faults.push(
          `Gateway ${root.gateway}: listener ${listener.id} is not served: ${reason} need Node.js, and this is Deno`,
        )
      return reason === undefined
    })
    return listeners.length === root.listeners.length ? bytes : Root.encode({ ...root, listeners }).finish()
  })
  return { feed: { ...feed, roots }, faults }
}

/** What the listener has that Deno has not. */
function reasonAgainst({ protocol, tls }: Listener): string | undefined {
  if (protocol === Protocol.UDP) return 'UDP listeners'
  // Deno resumes a session of TLS at every listener of its process, and would let in who was never asked.
  return tls?.clients === undefined ? undefined : 'client certificates'
}
