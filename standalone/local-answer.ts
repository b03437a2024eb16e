import type { HeaderEdit, Redirect, Respond, Why } from '../engine/decision.ts'
import { grpcStatus, isGrpc } from '../engine/grpc-status.ts'
import { reasonHeader } from '../engine/reason.ts'
import type { ResponseSink } from './exchange.ts'
import type { ClientRequest } from './handler.ts'
import { editedLines } from './header-edit.ts'
import type { RawHeaders } from './raw-headers.ts'

const none: ReadonlySet<string> = new Set()

export type LocalAnswer = Pick<Respond, 'status' | 'why' | 'responseHeaders'>

/** An answer of Landfall's own: of gRPC's kind to a client that speaks gRPC. Only a CORS preflight is no failure. */
export function answerLocally(
  { status, why, responseHeaders }: LocalAnswer,
  request: ClientRequest,
  hideReason: boolean,
  sink: ResponseSink,
): void {
  if (why !== 'cors-preflight' && isGrpc(request.header('content-type'))) {
    const message = hideReason ? [] : ['grpc-message', `landfall: ${why}`]
    const lines = ['content-type', 'application/grpc', 'grpc-status', `${grpcStatus(status)}`, ...message]
    send(200, lines, undefined, responseHeaders, sink)
    return
  }
  if (why === 'cors-preflight') send(status, [], undefined, responseHeaders, sink)
  else {
    const text = hideReason ? `${status}\n` : `${status} ${why}\n`
    const reason = hideReason ? [] : [reasonHeader, why]
    send(status, ['Content-Type', 'text/plain; charset=utf-8', ...reason], text, responseHeaders, sink)
  }
}

export function redirectLocally({ status, location, responseHeaders }: Redirect, sink: ResponseSink): void {
  send(status, ['Location', location], '', responseHeaders, sink)
}

/** `text` is undefined where the status has no content, or the protocol none. */
function send(status: number, lines: RawHeaders, text: string | undefined, edit: HeaderEdit, sink: ResponseSink): void {
  const length = text === undefined ? [] : ['Content-Length', `${Buffer.byteLength(text)}`]
  sink.head(status, '', editedLines([...lines, ...length], none, [], edit))
  if (text !== undefined && text !== '') sink.data(Buffer.from(text))
  sink.end([])
}

/** Why a client gets an answer that is not the origin's, and with which status, before anything was decided. */
export const refusal = (status: number, why: Why): LocalAnswer => ({
  status,
  why,
  responseHeaders: { remove: [], set: [], add: [] },
})
