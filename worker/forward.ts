import type { Forward } from '../engine/decision.ts'
import { statusOf } from '../engine/reason.ts'
import { sessionValue } from '../engine/session.ts'
import { cutBody } from './deadline.ts'
import type { WorkerFacts } from './facts.ts'
import { sendMirrors } from './mirror.ts'
import { editHeaders, isEmpty, refuse } from './respond.ts'
import { type LastTry, mayHaveBody, tryOrigins, type Upstreams } from './tries.ts'
import { peerOf, upstreamHeaders } from './upstream-headers.ts'

/** What the Gateway's parameters say. */
export interface Settings {
  readonly hideReason: boolean
  readonly trustedHops: number
  readonly clientCertificate: string
}

/** Sends the request to the backend that was chosen for it and makes the answer what the route wants it to be. */
export async function forward(
  request: Request,
  facts: WorkerFacts,
  decision: Forward,
  settings: Settings,
  upstreams: Upstreams,
  now: number,
  ctx: ExecutionContext,
): Promise<Response> {
  const { method, scheme } = facts
  const url = upstreams.origins.urlOf(decision.backend, decision, scheme)
  if (url === undefined) return refuse(502, 'connector-refused', facts.header('content-type'), settings.hideReason)
  const headers = new Headers(facts.headers)
  upstreamHeaders(headers, peerOf(request), facts, decision, settings.trustedHops)
  const { body } = request
  const { clientCertificate } = settings
  const outgoing =
    body === null || mayHaveBody(method)
      ? { target: url, method, headers, body, clientCertificate }
      : { target: new Request(url, request), method, headers, body: undefined, clientCertificate }
  const sent = decision.mirrors.length === 0 ? outgoing : sendMirrors(outgoing, decision, scheme, upstreams, ctx)

  const last = await tryOrigins(decision, sent, upstreams, now)
  if (last.response === undefined) return refusal(last, decision, facts, settings)
  const response = last.deadline === undefined ? last.response : cutBody(last.response, last.deadline, ctx)
  return edited(response, last, decision, scheme, upstreams)
}

function refusal(last: LastTry, decision: Forward, facts: WorkerFacts, settings: Settings): Response {
  last.deadline?.clear()
  const why = last.deadline?.passed === true ? last.deadline.why : (last.failure ?? 'connect-failed')
  const response = refuse(statusOf(why), why, facts.header('content-type'), settings.hideReason)
  editHeaders(response.headers, decision.responseHeaders)
  return response
}

function edited(response: Response, last: LastTry, decision: Forward, scheme: string, { now }: Upstreams): Response {
  const session =
    decision.session === undefined
      ? undefined
      : sessionValue(decision.session, decision.backend, last.endpoint, scheme, now())
  if (session === undefined && isEmpty(decision.responseHeaders)) return response
  const mutable = new Response(response.body, response)
  editHeaders(mutable.headers, decision.responseHeaders)
  if (session !== undefined) mutable.headers.append(session[0], session[1])
  return mutable
}
