import { Root } from '../proto/gen/route_table.ts'
import type { Feed } from '../standalone/feed.ts'

export interface Servable {
  readonly feed: Feed
  /** What is left out, as sentences. */
  readonly faults: readonly string[]
}

/**
 * What Deno may serve: all but listeners that ask clients for a certificate. It resumes a session of TLS at every listener of
 * its process, and so would let clients in that were never asked for theirs.
 */
export function servableByDeno(feed: Feed): Servable {
  const faults: string[] = []
  const roots = feed.roots.map((bytes) => {
    const root = Root.decode(bytes)
    const listeners = root.listeners.filter(({ tls }) => tls?.clients === undefined)
    for (const { id, port, tls } of root.listeners)
      if (tls?.clients !== undefined)
        faults.push(
          `Gateway ${root.gateway}: listener ${id} on port ${port} is not served: Deno cannot be trusted with client certificates, Node.js can`,
        )
    return listeners.length === root.listeners.length ? bytes : Root.encode({ ...root, listeners }).finish()
  })
  return { feed: { ...feed, roots }, faults }
}
