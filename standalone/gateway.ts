import type { Decision, Matched, Why } from '../engine/decision.ts'
import { chooseRouter, type Router } from '../engine/router.ts'
import type { Observer } from './access.ts'
import type { Exchange } from './exchange.ts'
import { type Ending, Forwarding, type Upstreams } from './forwarding.ts'
import type { ClientRequest, Handler } from './handler.ts'
import { answerLocally, type LocalAnswer, redirectLocally, refusal } from './local-answer.ts'

const noSettings = { hideReason: false, trustedHops: 0 }

/** Routes requests by the tables of the Gateways that `routers` names at the moment, those of one port of one address. */
export function createGateway(
  routers: () => readonly Router[],
  upstreams: Upstreams,
  observe: Observer | undefined,
): Handler {
  return (request, sink) => {
    const since = upstreams.now()
    const router = chooseRouter(routers(), request)
    const over = (matched: Matched | undefined, ending: Ending): void =>
      observe?.({
        request,
        gateway: router?.gateway ?? '',
        matched,
        duration: upstreams.now() - since,
        ...ending,
      })
    const settings = router?.root.settings ?? noSettings
    const refuse = (answer: LocalAnswer, matched: Matched | undefined): Exchange =>
      answered(answer.status, answer.why, matched, over, () =>
        answerLocally(answer, request, settings.hideReason, sink),
      )
    if (router === undefined) return refuse(refusal(404, 'no-listener'), undefined)
    if (isMisdirected(request, router)) return refuse(refusal(421, 'misdirected'), undefined)

    const decision: Decision = router.decide(request, upstreams.random, since)
    switch (decision.type) {
      case 'forward':
        return new Forwarding(request, decision, settings, sink, upstreams, (ending) => over(decision.matched, ending))
      case 'redirect':
        return answered(decision.status, undefined, decision.matched, over, () => redirectLocally(decision, sink))
      case 'respond':
        return refuse(decision, decision.matched)
      case 'missing':
        return refuse(refusal(503, 'shard-unavailable'), undefined)
    }
  }
}

/** "Gateways SHOULD send a 421 (Misdirected Request) response": the connection was made to one listener, and the request is
 *  for another. ListenerTLSConfig, GEP-3567. */
function isMisdirected({ peer, scheme, port, authority }: ClientRequest, router: Router): boolean {
  if (peer.tls === undefined) return false
  const wanted = router.listener(scheme, port, authority)
  return wanted !== undefined && wanted.id !== router.listener(scheme, port, peer.tls.serverName)?.id
}

/** An exchange whose answer is Landfall's own; what comes of the request's body is passed over. */
function answered(
  status: number,
  why: Why | undefined,
  matched: Matched | undefined,
  over: (matched: Matched | undefined, ending: Ending) => void,
  answer: () => void,
): Exchange {
  let isAborted = false
  queueMicrotask(() => {
    const ending = { endpoint: undefined, tries: 0, bytesReceived: 0, bytesSent: 0 }
    if (isAborted) over(matched, { status: 0, why: 'client-left', ...ending })
    else {
      over(matched, { status, why, ...ending })
      answer()
    }
  })
  return {
    write: () => true,
    end: () => {},
    resume: () => {},
    abort: () => {
      isAborted = true
    },
  }
}
