import type { Decision } from '../engine/decision.ts'
import type { RequestFacts } from '../engine/facts.ts'
import type { Router } from '../engine/router.ts'
import type { SocketProps } from './config.ts'
import { readFacts, type WorkerFacts } from './facts.ts'
import { forward } from './forward.ts'
import { redirect, refuse, respond } from './respond.ts'
import type { Worker } from './worker.ts'

/** How often a decision may ask for more shards: its host's, then its backends', and once more after a refresh. */
const maxLoads = 4

/** From request to response: which table, which decision, and its execution. */
export async function route(
  request: Request,
  url: string,
  socket: SocketProps,
  worker: Worker,
  ctx: ExecutionContext,
): Promise<Response> {
  const { tables, upstreams } = worker
  const facts = readFacts(request, url, socket.port)
  if (facts === undefined) return refuse(400, 'bad-request', undefined, false)

  const now = upstreams.now()
  const current = tables.current(now, ctx)
  const routers = 'then' in current ? await current : current
  if (routers.length === 0) return refuse(503, 'no-table', facts.header('content-type'), false)
  const router = tables.choose(routers, socket.gateways, facts)
  if (router === undefined) return refuse(404, 'no-listener', facts.header('content-type'), false)

  const first = router.decide(facts, upstreams.random, now)
  const decision = first.type === 'missing' ? await decideColdly(router, facts, worker, now, ctx) : first
  const response = await execute(decision, request, facts, router, worker, now, ctx)
  const matched = decision.type === 'missing' ? undefined : decision.matched
  worker.metrics.request(router.gateway, matched?.route ?? '', response.status)
  return response
}

function execute(
  decision: Decision,
  request: Request,
  facts: WorkerFacts,
  router: Router,
  { upstreams }: Worker,
  now: number,
  ctx: ExecutionContext,
): Response | Promise<Response> {
  const settings = router.root.settings ?? { hideReason: false, trustedHops: 0, clientCertificate: '' }
  switch (decision.type) {
    case 'forward':
      return forward(request, facts, decision, settings, upstreams, now, ctx)
    case 'redirect':
      return redirect(decision)
    case 'respond':
      return respond(decision, facts.header('content-type'), settings.hideReason)
    case 'missing':
      return refuse(503, 'shard-unavailable', facts.header('content-type'), settings.hideReason)
  }
}

/** Loads what the decision lacks, as long as that brings it on. */
async function decideColdly(
  router: Router,
  facts: RequestFacts,
  worker: Worker,
  now: number,
  ctx: ExecutionContext,
): Promise<Decision> {
  const { tables, upstreams } = worker
  for (let loads = 0; ; loads++) {
    const decision = router.decide(facts, upstreams.random, now)
    if (decision.type !== 'missing' || loads === maxLoads) return decision
    if (!(await tables.load(router, decision.shards, now, ctx))) return decision
  }
}
