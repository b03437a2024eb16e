import type { HeaderEdit, Redirect, Respond, Why } from '../engine/decision.ts'
import { grpcStatus, isGrpcWeb } from '../engine/grpc-status.ts'
import { reasonHeader } from '../engine/reason.ts'

export function redirect(decision: Redirect): Response {
  const headers = new Headers({ location: decision.location })
  editHeaders(headers, decision.responseHeaders)
  return new Response(null, { status: decision.status, headers })
}

export function respond(
  decision: Pick<Respond, 'status' | 'why' | 'responseHeaders'>,
  contentType: string | undefined,
  hideReason: boolean,
): Response {
  const response = refuse(decision.status, decision.why, contentType, hideReason)
  editHeaders(response.headers, decision.responseHeaders)
  return response
}

/** An answer of Landfall's own: of gRPC's kind where the request's content-type is. Only a CORS preflight is no failure. */
export function refuse(status: number, why: Why, contentType: string | undefined, hideReason: boolean): Response {
  const headers = new Headers()
  if (why === 'cors-preflight') return new Response(null, { status, headers })
  if (isGrpcWeb(contentType)) {
    headers.set('content-type', 'application/grpc-web+proto')
    headers.set('grpc-status', `${grpcStatus(status)}`)
    if (!hideReason) headers.set('grpc-message', `landfall: ${why}`)
    return new Response(null, { headers })
  }
  if (!hideReason) headers.set(reasonHeader, why)
  headers.set('content-type', 'text/plain; charset=utf-8')
  return new Response(hideReason ? `${status}\n` : `${status} ${why}\n`, { status, headers })
}

export function editHeaders(headers: Headers, edit: HeaderEdit): void {
  for (const name of edit.remove) headers.delete(name)
  for (const header of edit.set) headers.set(header[0], header[1])
  for (const header of edit.add) headers.append(header[0], header[1])
}

export const isEmpty = (edit: HeaderEdit): boolean =>
  edit.remove.length === 0 && edit.set.length === 0 && edit.add.length === 0
