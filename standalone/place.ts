import type { Access, Observer } from './access.ts'
import type { FrontEnd, RefusedRequest } from './front-end/front-end.ts'
import { createFrontEnds } from './front-ends.ts'
import { createGateway } from './gateway.ts'
import type { Bind } from './listen/bind.ts'
import type { Log } from './log.ts'
import { type Served, served } from './served.ts'
import type { UdpBind } from './udp/udp.ts'

export type PlaceKind = 'http' | 'tls' | 'tcp' | 'udp'

export interface PlaceOptions {
  readonly observeRequest: Observer
  readonly log: Log
  /** Whether HTTP/2 is spoken. */
  readonly http2: boolean
}

/** An address and port with the Gateways that listen there, and the front ends for what comes in. */
export class Place {
  readonly kind: PlaceKind
  readonly binds: readonly Bind[]
  readonly udpBinds: readonly UdpBind[]
  /** From now on. */
  served: Served = served([])
  readonly #frontEnds: readonly FrontEnd[]

  constructor(kind: PlaceKind, address: string, port: number, { observeRequest, log, http2 }: PlaceOptions) {
    this.kind = kind
    const where = { address, port, listenerPort: port }
    const streams = () => this.served.streams
    this.udpBinds = kind === 'udp' ? [{ streams, ...where }] : []
    if (kind === 'http' || kind === 'tls') {
      const handler = createGateway(() => this.served, { now: Date.now, random: Math.random, observe: observeRequest })
      const observe = (refused: RefusedRequest): void => observeRequest(refusal(refused))
      const { all, bind } = createFrontEnds(kind, where, streams, { handler, log, observe, http2 })
      this.#frontEnds = all
      this.binds = [bind]
    } else {
      this.#frontEnds = []
      this.binds = kind === 'tcp' ? [{ type: 'tcp', streams, ...where }] : []
    }
  }

  /** Connections that are open, but for those of front ends, are who listens' to close. */
  async close(grace: number): Promise<void> {
    await Promise.all(this.#frontEnds.map((frontEnd) => frontEnd.close(grace)))
  }
}

/** A request that no Gateway has heard of. */
function refusal({ arrival: { version, peer }, method, authority, path, status, why }: RefusedRequest): Access {
  const request = { version, peer, method, authority, path, header: () => undefined }
  const nothing = { endpoint: undefined, tries: 0, duration: 0, bytesReceived: 0, bytesSent: 0 }
  return { request, gateway: '', matched: undefined, status, why, ...nothing }
}
