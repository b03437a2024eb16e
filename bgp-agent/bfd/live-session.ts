import type { StateChange } from './messages.ts'
import { decodeControl, encodeControl } from './packet.ts'
import { type Action, type Event, newSession, type Session, step, type Timers } from './session.ts'
import type { BfdPath, Transport, Way } from './transport.ts'

/** Milliseconds until sockets are asked for again, where there were none. */
const RETRY = 5000

export interface LiveSessionEnds {
  readonly changed: (change: StateChange) => void
  readonly failed: (reason: string) => void
  /** In [0, 1). */
  readonly random: () => number
}

/** A session with its sockets and clocks. */
export class LiveSession {
  readonly #ends: LiveSessionEnds
  #session: Session
  #way: Way | undefined
  #retry: NodeJS.Timeout | undefined
  #transmit: NodeJS.Timeout | undefined
  #detection: NodeJS.Timeout | undefined

  constructor(discriminator: number, timers: Timers, ends: LiveSessionEnds) {
    this.#session = newSession(discriminator, timers)
    this.#ends = ends
  }

  start(transport: Transport, path: BfdPath): void {
    try {
      this.#way = transport.open(path, (datagram) => this.#read(datagram))
      this.#apply({ type: 'start' })
    } catch (error) {
      this.#ends.failed(error instanceof Error ? error.message : String(error))
      this.#retry = setTimeout(() => this.start(transport, path), RETRY)
    }
  }

  set(timers: Timers): void {
    this.#apply({ type: 'timers', timers })
  }

  /** The peer is told once that this is no failure. */
  end(): void {
    this.#apply({ type: 'disable' })
    clearTimeout(this.#retry)
    clearTimeout(this.#transmit)
    clearTimeout(this.#detection)
    this.#way?.close()
  }

  #read(datagram: Uint8Array): void {
    const packet = decodeControl(datagram)
    if (typeof packet === 'string') return
    const { yourDiscriminator } = packet
    if (yourDiscriminator !== 0 && yourDiscriminator !== this.#session.discriminator) return
    this.#apply({ type: 'packet', packet })
  }

  #apply(event: Event): void {
    const [session, actions] = step(this.#session, event, this.#ends.random())
    this.#session = session
    for (const action of actions) this.#do(action)
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'send':
        this.#way?.send(encodeControl(action.packet))
        break
      case 'transmitTimer':
        clearTimeout(this.#transmit)
        if (action.after !== undefined)
          this.#transmit = setTimeout(() => this.#apply({ type: 'transmitTimer' }), action.after / 1000)
        break
      case 'detectionTimer':
        clearTimeout(this.#detection)
        this.#detection = setTimeout(() => this.#apply({ type: 'detectionTimer' }), Math.ceil(action.after / 1000))
        break
      case 'changed': {
        const { state, diagnostic } = action
        this.#ends.changed({ state, diagnostic, remoteState: this.#session.remote.state })
        break
      }
    }
  }
}
