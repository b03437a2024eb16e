import type { Decision } from '../engine/decision.ts'
import type { StreamDecision } from '../engine/streams.ts'
import type { Received } from './received.ts'

/** How often a decision may ask for more shards: its host's, then its backends', and once more after a refresh. */
const maxLoads = 4

/** What `decide` comes to once what it lacks is loaded, as long as that brings it on. */
export async function decideColdly<Decided extends Decision | StreamDecision>(
  decide: () => Decided,
  { router, worker, now, ctx }: Pick<Received, 'router' | 'worker' | 'now' | 'ctx'>,
): Promise<Decided> {
  for (let loads = 0; ; loads++) {
    const decision = decide()
    if (decision.type !== 'missing' || loads === maxLoads) return decision
    if (!(await worker.tables.load(router, decision.shards, now, ctx))) return decision
  }
}
