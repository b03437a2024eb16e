import { isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import { formatAddress } from '../address.ts'
import type { FromThread, SessionId, StateChange, ToThread } from './messages.ts'
import { Diagnostic, SessionState } from './packet.ts'
import type { Timers } from './session.ts'
import type { BfdPath } from './transport.ts'

export interface BfdPeer {
  readonly path: BfdPath
  readonly timers: Timers
  /** The session with it has come up, or gone from it. */
  readonly onChange: (change: BfdChange) => void
}

export interface BfdChange {
  readonly isUp: boolean
  /** Whether it was up, and is not because the peer cannot be reached, rather than because somebody has switched BFD off.
   *  RFC 5882 section 4.2. */
  readonly isFailure: boolean
}

interface Watched {
  readonly id: SessionId
  readonly timers: Timers
  readonly peers: readonly BfdPeer[]
}

/** The handle of BFD in the main thread: sessions and their sockets are in a thread of their own. */
export class Bfd {
  readonly #log: (message: string) => void
  #worker: Worker | undefined
  /** By path: peers that share one share a session. */
  #watched: ReadonlyMap<string, Watched> = new Map()
  readonly #up = new Set<SessionId>()
  readonly #failed = new Set<SessionId>()
  #added = 0

  constructor(log: (message: string) => void) {
    this.#log = log
  }

  /** The whole of whom to watch. Sessions that were there go on; of peers on one path the first says how fast. */
  set(peers: readonly BfdPeer[]): void {
    const before = this.#watched
    const watched = new Map<string, Watched>()
    for (const peer of peers) {
      const key = keyOf(peer.path)
      const known = watched.get(key)
      const id = known?.id ?? before.get(key)?.id ?? ++this.#added
      watched.set(key, { id, timers: known?.timers ?? peer.timers, peers: [...(known?.peers ?? []), peer] })
    }
    this.#watched = watched
    for (const [key, { id }] of before) if (!watched.has(key)) this.#remove(id)
    for (const [key, { id, timers, peers }] of watched) {
      const old = before.get(key)
      const path = peers[0]?.path
      if (old === undefined && path !== undefined) this.#tell({ type: 'add', id, path, timers })
      else if (!isDeepStrictEqual(old?.timers, timers)) this.#tell({ type: 'update', id, timers })
    }
  }

  /** Of the session on a path; undefined: there is none. */
  isUp(path: BfdPath): boolean | undefined {
    const watched = this.#watched.get(keyOf(path))
    return watched && this.#up.has(watched.id)
  }

  /** Peers are told that this is no failure. */
  close(): void {
    this.#watched = new Map()
    this.#worker?.postMessage({ type: 'close' } satisfies ToThread)
    this.#worker = undefined
  }

  #remove(id: SessionId): void {
    this.#up.delete(id)
    this.#failed.delete(id)
    this.#tell({ type: 'remove', id })
  }

  #tell(message: ToThread): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const worker = new Worker(new URL('thread.ts', import.meta.url))
    worker.on('message', (message: FromThread) => this.#hear(message))
    return worker
  }

  #hear(message: FromThread): void {
    const peers = [...this.#watched.values()].find(({ id }) => id === message.id)?.peers
    const [peer] = peers ?? []
    if (peers === undefined || peer === undefined) return
    const address = formatAddress(peer.path.peer.octets)
    if (message.type === 'failed') {
      if (!this.#failed.has(message.id)) this.#log(`no BFD with ${address} yet: ${message.reason}`)
      this.#failed.add(message.id)
      return
    }
    const change = this.#changed(message.id, message)
    if (change === undefined) return
    this.#log(`BFD with ${address} is ${change.isUp ? 'up' : `down, ${whyDown(message)}`}`)
    for (const { onChange } of peers) onChange(change)
  }

  /** What a step of the session is to those who watch; undefined: nothing. */
  #changed(id: SessionId, { state, remoteState }: StateChange): BfdChange | undefined {
    const wasUp = this.#up.has(id)
    const isUp = state === SessionState.up
    if (wasUp === isUp) return undefined
    if (isUp) this.#up.add(id)
    else this.#up.delete(id)
    return { isUp, isFailure: wasUp && state !== SessionState.adminDown && remoteState !== SessionState.adminDown }
  }
}

function whyDown({ diagnostic, remoteState }: StateChange): string {
  if (remoteState === SessionState.adminDown) return 'because the peer has switched it off'
  return diagnostic === Diagnostic.detectionTimeExpired
    ? 'because nothing has come in time'
    : 'because the peer says that it is'
}

const keyOf = ({ peer, local, device, isMultihop, minHops }: BfdPath): string =>
  JSON.stringify([[...peer.octets], peer.scope, local && [...local.octets], device, isMultihop, minHops])
