import type { Decision, Matched, Why } from '../engine/decision.ts'
import { chooseRouter } from '../engine/router.ts'
import { isMisdirected } from '../engine/streams.ts'
import { AppProtocol } from '../proto/gen/route_table.ts'
import type { Observer } from './access.ts'
import type { Exchange, OwnAnswer } from './exchange.ts'
import { type Ending, Forwarding } from './forwarding.ts'
import type { Handler } from './handler.ts'
import { answerLocally, type LocalAnswer, redirectLocally, refusal } from './local-answer.ts'
import type { Served } from './served.ts'

const noSettings = { hideReason: false, trustedHops: 0 }

/** What all requests share, whatever Gateway they are for. */
export interface GatewayOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly observe: Observer | undefined
}

/** Routes requests by the tables of the Gateways that are served, at the moment, where they came in. */
export function createGateway(served: () => Served, { now, random, observe }: GatewayOptions): Handler {
  return (request, sink) => {
    const since = now()
    const { routers, streams, upstreams } = served()
    const router = chooseRouter(routers, request)
    const own = router && upstreams.get(router.gateway)
    const over = (matched: Matched | undefined, ending: Ending): void =>
      observe?.({ request, gateway: router?.gateway ?? '', matched, duration: now() - since, ...ending })
    const settings = router?.root.settings ?? noSettings
    const refuse = (answer: LocalAnswer, matched: Matched | undefined): Exchange =>
      answered(answer.status, answer.why, matched, over, () =>
        answerLocally(answer, request, settings.hideReason, sink),
      )
    const { tls } = request.peer
    if (tls !== undefined && isMisdirected(streams, request.port ?? 0, tls.serverName, request.authority))
      return refuse(refusal(421, 'misdirected'), undefined)
    if (router === undefined || own === undefined) return refuse(refusal(404, 'no-listener'), undefined)

    const decision: Decision = router.decide(request, random, since)
    switch (decision.type) {
      case 'forward':
        // No endpoint can help it, and none is to blame. docs/decisions/backend-protocols.md
        if (request.upgrade !== undefined && decision.backend.protocol === AppProtocol.H2C) {
          return refuse(
            { ...refusal(502, 'no-websocket'), responseHeaders: decision.responseHeaders },
            decision.matched,
          )
        }
        return new Forwarding(request, decision, settings, sink, own, (ending) => over(decision.matched, ending))
      case 'redirect':
        return answered(decision.status, undefined, decision.matched, over, () => redirectLocally(decision, sink))
      case 'respond':
        return refuse(decision, decision.matched)
      case 'missing':
        return refuse(refusal(503, 'shard-unavailable'), undefined)
    }
  }
}

/** An exchange whose answer is Landfall's own; what comes of the request's body is passed over. */
function answered(
  status: number,
  why: Why | undefined,
  matched: Matched | undefined,
  over: (matched: Matched | undefined, ending: Ending) => void,
  answer: () => void,
): Exchange {
  let aborted: Pick<Ending, 'status' | 'why'> | undefined
  queueMicrotask(() => {
    const ending = { endpoint: undefined, tries: 0, bytesReceived: 0, bytesSent: 0 }
    if (aborted !== undefined) over(matched, { ...aborted, ...ending })
    else {
      over(matched, { status, why, ...ending })
      answer()
    }
  })
  return {
    write: () => true,
    end: () => {},
    resume: () => {},
    abort: (instead?: OwnAnswer) => {
      aborted = instead ?? { status: 0, why: 'client-left' }
    },
  }
}
