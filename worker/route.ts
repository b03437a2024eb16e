import type { Decision, Matched } from '../engine/decision.ts'
import type { Router } from '../engine/router.ts'
import { decideColdly } from './cold-decision.ts'
import type { SocketProps } from './config.ts'
import { readFacts, type WorkerFacts } from './facts.ts'
import { forward } from './forward.ts'
import { type Received, settingsOf } from './received.ts'
import { redirect, refuse, respond } from './respond.ts'
import type { Worker } from './worker.ts'

/** From request to response: which table, which decision, and its execution. Waits for nothing that is there already, because
 *  each promise costs. */
export function route(
  request: Request,
  url: string,
  socket: SocketProps,
  worker: Worker,
  ctx: ExecutionContext,
): Response | Promise<Response> {
  const facts = readFacts(request, url, socket.port)
  if (facts === undefined) return refuse(400, 'bad-request', undefined, false)
  const now = worker.upstreams.now()
  const routers = worker.tables.current(now, ctx)
  return routers instanceof Promise
    ? routers.then((loaded) => routeBy(loaded, request, facts, socket, worker, now, ctx))
    : routeBy(routers, request, facts, socket, worker, now, ctx)
}

function routeBy(
  routers: readonly Router[],
  request: Request,
  facts: WorkerFacts,
  socket: SocketProps,
  worker: Worker,
  now: number,
  ctx: ExecutionContext,
): Response | Promise<Response> {
  if (routers.length === 0) return refuse(503, 'no-table', facts.header('content-type'), false)
  const router = worker.tables.choose(routers, socket.gateways, facts)
  if (router === undefined) return refuse(404, 'no-listener', facts.header('content-type'), false)

  const received = { request, facts, router, worker, now, ctx }
  const decision = router.decide(facts, worker.upstreams.random, now)
  return decision.type === 'missing' ? executeColdly(received) : execute(decision, received)
}

async function executeColdly(received: Received): Promise<Response> {
  const { facts, router, worker, now } = received
  return execute(await decideColdly(() => router.decide(facts, worker.upstreams.random, now), received), received)
}

function execute(decision: Decision, received: Received): Response | Promise<Response> {
  const { facts, router } = received
  const { hideReason } = settingsOf(router)
  switch (decision.type) {
    case 'forward':
      return forward(decision, received)
    case 'redirect':
      return counted(redirect(decision), decision.matched, received)
    case 'respond':
      return counted(respond(decision, facts.header('content-type'), hideReason), decision.matched, received)
    case 'missing':
      return counted(refuse(503, 'shard-unavailable', facts.header('content-type'), hideReason), undefined, received)
  }
}

function counted(response: Response, matched: Matched | undefined, { router, worker }: Received): Response {
  worker.metrics.request(router.gateway, matched?.route ?? '', response.status)
  return response
}
