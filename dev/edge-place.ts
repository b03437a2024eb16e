import type { Router } from '../engine/router.ts'
import { isMisdirected, type Streams } from '../engine/streams.ts'
import {
  type Exchange,
  ExchangeError,
  type RequestHead,
  type ResponseSink,
  withoutTrailers,
} from '../standalone/exchange.ts'
import type { FrontEnd } from '../standalone/front-end/front-end.ts'
import { createFrontEnds } from '../standalone/front-ends.ts'
import { asGrpcWeb, isGrpcRequest } from '../standalone/grpc-web/grpc-web.ts'
import type { Handler } from '../standalone/handler.ts'
import { createHttp1Client } from '../standalone/http1-client/http1-client.ts'
import type { Bind } from '../standalone/listen/bind.ts'
import { answerLocally, refusal } from '../standalone/local-answer.ts'
import type { Log } from '../standalone/log.ts'
import type { Origin, OriginClient } from '../standalone/origin-client.ts'
import { soonAnswered } from '../standalone/soon-answered.ts'
import { connectToSocket } from './edge-connect.ts'
import { workerdHead } from './edge-request.ts'
import { EdgeStreams } from './edge-streams.ts'
import type { Place, PlaceSockets } from './places.ts'

export interface EdgePlaceOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly log: Log
}

/** One process serves one developer: workerd may have as much to do as clients ask for. */
const manyRequests = 8_192

/** What serves a place from now on. */
interface Behind {
  readonly sockets: PlaceSockets
  readonly client: OriginClient
}

/** An address and port with the front ends for what comes in, which is all sent to workerd. */
export class EdgePlace {
  readonly binds: readonly Bind[]
  readonly #frontEnds: readonly FrontEnd[]
  #behind: Behind | undefined
  #streams: readonly Streams[] = []

  constructor({ kind, address, port, listenerPort = port }: Place, { now, log }: EdgePlaceOptions) {
    const where = { address, port, listenerPort }
    const streams = (): readonly Streams[] => this.#streams
    if (kind === 'tcp') {
      this.#frontEnds = []
      this.binds = [{ type: 'tcp', streams, ...where }]
      return
    }
    const { all, bind } = createFrontEnds(kind, where, streams, { handler: this.#handler(now), log, http2: true })
    this.#frontEnds = all
    this.binds = [bind]
  }

  /** `routers` are those of the place's Gateways. Requests under way end where they are. */
  serve(routers: readonly Router[], sockets: PlaceSockets): void {
    this.#streams = routers.map(({ table }) => new EdgeStreams(table, sockets))
    if (this.#behind?.sockets.requests === sockets.requests) return
    this.#behind?.client.close()
    this.#behind = { sockets, client: workerdClient(sockets.requests) }
  }

  /** Connections that are open, but for those of front ends, are who listens' to close. */
  async close(grace: number): Promise<void> {
    await Promise.all(this.#frontEnds.map((frontEnd) => frontEnd.close(grace)))
    this.#behind?.client.close()
  }

  /** TLS ends here, and so it is here that a request is told from one for another listener. */
  #handler(now: () => number): Handler {
    return (request, sink) => {
      const { tls } = request.peer
      const { authority, port = 0 } = request
      if (tls !== undefined && isMisdirected(this.#streams, port, tls.serverName, authority))
        return soonAnswered(() => answerLocally(refusal(421, 'misdirected'), request, false, sink))
      const client = this.#behind?.client
      if (client === undefined)
        return soonAnswered(() => sink.failed(new ExchangeError('connect-failed', 'there is no workerd yet', true)))
      const open = (head: RequestHead, inner: ResponseSink): Exchange => client.open(workerd, head, inner)
      const head = workerdHead(request, now())
      // A Worker is shown no trailers of a request.
      return request.version === 'HTTP/2' && isGrpcRequest(request)
        ? asGrpcWeb(head, sink, open)
        : withoutTrailers(open(head, sink))
    }
  }
}

/** A client has one origin: the socket that it connects to. */
const workerd: Origin = { endpoint: { address: 'workerd', port: 0 }, tls: undefined }

const workerdClient = (path: string): OriginClient =>
  createHttp1Client({ connect: connectToSocket(path), limits: { requestsPerOrigin: manyRequests }, isOwn: true })
