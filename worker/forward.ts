import type { Forward } from '../engine/decision.ts'
import { statusOf } from '../engine/reason.ts'
import { sessionValue } from '../engine/session.ts'
import { cutBody } from './deadline.ts'
import { sendMirrors } from './mirror.ts'
import type { Outgoing } from './origin.ts'
import { type Received, settingsOf } from './received.ts'
import { editHeaders, isEmpty, refuse } from './respond.ts'
import { type LastTry, mayHaveBody, tryOrigins } from './tries.ts'
import { peerOf, upstreamHeaders } from './upstream-headers.ts'

/** Sends the request to the backend that was chosen for it and makes the answer what the route wants it to be. */
export async function forward(decision: Forward, received: Received): Promise<Response> {
  const { worker, router, now } = received
  const outgoing = outgoingOf(decision, received)
  const last = outgoing === undefined ? noWay : await tryOrigins(decision, outgoing, worker.upstreams, now)
  const response =
    last.response === undefined ? refusal(last, decision, received) : answer(last.response, last, decision, received)
  worker.metrics.request(router.gateway, decision.matched.route, response.status)
  return response
}

const noWay: LastTry = { response: undefined, failure: 'connector-refused', endpoint: undefined, deadline: undefined }

/** What goes to the origin, and on its way to the mirrors; undefined where there is no way to it. */
function outgoingOf(decision: Forward, { request, facts, router, worker, ctx }: Received): Outgoing | undefined {
  const { method, scheme } = facts
  const { trustedHops, clientCertificate } = settingsOf(router)
  const url = worker.upstreams.origins.urlOf(decision.backend, decision, scheme)
  if (url === undefined) return undefined
  const headers = new Headers(facts.headers)
  upstreamHeaders(headers, peerOf(request), facts, decision, trustedHops)
  const { body } = request
  const outgoing =
    body === null || mayHaveBody(method)
      ? { target: url, method, headers, body, clientCertificate }
      : { target: new Request(url, request), method, headers, body: undefined, clientCertificate }
  return decision.mirrors.length === 0 ? outgoing : sendMirrors(outgoing, decision, scheme, worker.upstreams, ctx)
}

function refusal(last: LastTry, decision: Forward, { facts, router }: Received): Response {
  last.deadline?.clear()
  const why = last.deadline?.passed === true ? last.deadline.why : (last.failure ?? 'connect-failed')
  const response = refuse(statusOf(why), why, facts.header('content-type'), settingsOf(router).hideReason)
  editHeaders(response.headers, decision.responseHeaders)
  return response
}

function answer(response: Response, last: LastTry, decision: Forward, { facts, worker, ctx }: Received): Response {
  const whole = last.deadline === undefined ? response : cutBody(response, last.deadline, ctx)
  const session =
    decision.session === undefined
      ? undefined
      : sessionValue(decision.session, decision.backend, last.endpoint, facts.scheme, worker.upstreams.now())
  if (session === undefined && isEmpty(decision.responseHeaders)) return whole
  const mutable = new Response(whole.body, whole)
  const { headers } = mutable
  editHeaders(headers, decision.responseHeaders)
  if (session !== undefined) headers.append(session[0], session[1])
  return mutable
}
