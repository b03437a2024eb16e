import { type Heartbeat, maxEchoes, type NodeState } from './heartbeat.ts'
import type { Timing } from './timing.ts'

// Who else is on a network, and lives: a function. Sockets and clocks are its callers. Times are milliseconds of a clock that is
// never set.

export interface Membership {
  readonly node: string
  readonly incarnation: number
  readonly timing: Timing
  /** Of the last event. */
  readonly at: number
  /** Newest first; whoever sends one of them back has sent it lately. */
  readonly challenges: readonly Challenge[]
  /** By the node's name. One of the own name is somebody who should not have it. */
  readonly peers: ReadonlyMap<string, Peer>
}

export interface Challenge {
  readonly value: bigint
  readonly since: number
}

/** `unproven`: what is heard may be old, or it does not hear this node. `suspect`: it is asked for a sign of life. */
export type PeerState = 'unproven' | 'alive' | 'suspect' | 'dead'

export interface Peer {
  readonly node: string
  readonly incarnation: number
  readonly sequence: number
  readonly state: PeerState
  /** What it says of itself. */
  readonly says: NodeState
  readonly readyFor: number
  readonly timing: Timing
  readonly mac: string
  readonly challenge: bigint
  readonly heardAt: number
  /** When it has last sent a challenge of this node back; and until when that is good. */
  readonly provenAt: number | undefined
  readonly provenUntil: number
}

export type Event =
  | { readonly type: 'heard'; readonly beat: Heartbeat; readonly at: number }
  /** `challenge`: of 64 bits, not to be guessed, in case a new one is due. */
  | { readonly type: 'time'; readonly at: number; readonly challenge: bigint }
  | { readonly type: 'timing'; readonly timing: Timing }

export type Change =
  /** It has not been heard before, or not for long. */
  | { readonly type: 'met'; readonly node: string }
  | { readonly type: 'up' | 'down' | 'suspected'; readonly node: string }
  /** It hears this node, after a time in which it cannot have. */
  | { readonly type: 'reunited'; readonly node: string }
  /** Somebody waits to hear this node. */
  | { readonly type: 'asked' }
  /** A heartbeat of this node has come back by another of its interfaces. */
  | { readonly type: 'own' }

type Step = readonly [Membership, readonly Change[]]

/** Nodes on one network; of more nothing is heard. */
export const maxPeers = 128

/** Milliseconds from one challenge to the next. */
const CHALLENGE = 1000
/** Milliseconds after which a challenge proves nothing any more, nor does what has been proven. */
const PROOF = 5000
/** Milliseconds that the dead are remembered, so that nobody brings them back: more than any proof lasts. */
const MEMORY = 2 * PROOF
/** The part of the detection time after which a silent peer is asked. */
const SUSPICION = 0.6

export const newMembership = (node: string, incarnation: number, timing: Timing, at: number): Membership => ({
  node,
  incarnation,
  timing,
  at,
  challenges: [],
  peers: new Map(),
})

/** One transition. */
export function step(before: Membership, event: Event): Step {
  switch (event.type) {
    case 'heard':
      return heard(before, event.beat, event.at)
    case 'time':
      return passed(before, event.at, event.challenge)
    case 'timing':
      return [{ ...before, timing: event.timing }, []]
  }
}

/** Whether it counts: what it may answer for is its, when it is ready. */
export const isAlive = ({ state }: Peer): boolean => state === 'alive' || state === 'suspect'

/** When time alone will change something. */
export function nextChange({ peers }: Membership): number {
  let next = Number.POSITIVE_INFINITY
  for (const { state, heardAt, timing } of peers.values())
    if (state === 'alive') next = Math.min(next, heardAt + SUSPICION * timing.detection)
    else if (state === 'suspect') next = Math.min(next, heardAt + timing.detection)
  return next
}

/** Challenges to be sent back. Where there are more than fit, `turn` says which, and each has its turn. */
export function echoesOf({ peers }: Membership, turn: number): readonly bigint[] {
  const all = [...peers.values()].filter(({ state }) => state !== 'dead').map(({ challenge }) => challenge)
  if (all.length <= maxEchoes) return all
  return Array.from({ length: maxEchoes }, (_, i) => all[(turn * maxEchoes + i) % all.length] ?? 0n)
}

function heard(before: Membership, beat: Heartbeat, at: number): Step {
  const { node, incarnation, challenges, peers } = before
  const now = { ...before, at: Math.max(at, before.at) }
  if (beat.node === node && beat.incarnation === incarnation) return [now, [{ type: 'own' }]]
  const known = peers.get(beat.node)
  if (known === undefined ? peers.size >= maxPeers : isOld(beat, known, at)) return [now, []]
  const life = known?.incarnation === beat.incarnation ? known : undefined
  const isOurs = (value: bigint): boolean => challenges.some((challenge) => challenge.value === value)
  const isProof = beat.echoes.some(isOurs)
  const peer = judged(
    {
      node: beat.node,
      incarnation: beat.incarnation,
      sequence: beat.sequence,
      state: life?.state ?? 'unproven',
      says: beat.state,
      readyFor: beat.readyFor,
      timing: beat.timing,
      mac: beat.mac,
      challenge: beat.challenge,
      heardAt: at,
      provenAt: isProof ? at : life?.provenAt,
      provenUntil: isProof ? at + PROOF : (life?.provenUntil ?? at),
    },
    at,
  )
  const silence = life?.provenAt === undefined ? Number.POSITIVE_INFINITY : at - life.provenAt
  return [
    { ...now, peers: new Map(peers).set(peer.node, peer) },
    [
      ...(life === undefined || life.state === 'dead' ? [{ type: 'met', node: peer.node } as const] : []),
      ...turns(known, peer),
      ...(isProof && silence > before.timing.detection ? [{ type: 'reunited', node: peer.node } as const] : []),
      ...(beat.asked.some(isOurs) ? [{ type: 'asked' } as const] : []),
    ],
  ]
}

/** Heard before, or of a life before the one that is known: unless that was long ago, and clocks have been set. */
const isOld = (beat: Heartbeat, known: Peer, at: number): boolean =>
  beat.incarnation === known.incarnation
    ? beat.sequence <= known.sequence
    : beat.incarnation < known.incarnation && at - known.heardAt < PROOF

function passed(before: Membership, at: number, challenge: bigint): Step {
  const since = at - before.at
  // What others have said while this node stood still, it has not heard.
  const stood = since > 2 * before.timing.interval ? since : 0
  const peers = new Map<string, Peer>()
  const changes: Change[] = []
  for (const known of before.peers.values()) {
    const { heardAt, provenUntil } = known
    const peer = judged({ ...known, heardAt: heardAt + stood, provenUntil: provenUntil + stood }, at)
    if (peer.state === 'dead' && at - peer.heardAt > MEMORY) continue
    peers.set(peer.node, peer)
    changes.push(...turns(known, peer))
  }
  return [{ ...before, at, peers, challenges: renewed(before.challenges, at, challenge) }, changes]
}

function renewed(challenges: readonly Challenge[], at: number, value: bigint): readonly Challenge[] {
  const [newest] = challenges
  if (newest !== undefined && at - newest.since < CHALLENGE) return challenges
  return [{ value, since: at }, ...challenges.filter(({ since }) => at - since < PROOF)]
}

/** The peer in the state that it is in by now. */
const judged = (peer: Peer, at: number): Peer => ({ ...peer, state: stateOf(peer, at) })

function stateOf({ says, heardAt, provenUntil, timing }: Peer, at: number): PeerState {
  const silence = at - heardAt
  if (says === 'leaving' || silence >= timing.detection) return 'dead'
  if (at >= provenUntil) return 'unproven'
  return silence >= SUSPICION * timing.detection ? 'suspect' : 'alive'
}

function turns(before: Peer | undefined, peer: Peer): readonly Change[] {
  const { node, state } = peer
  const wasAlive = before !== undefined && isAlive(before)
  if (isAlive(peer) !== wasAlive) return [{ type: wasAlive ? 'down' : 'up', node }]
  return state === 'suspect' && before?.state === 'alive' ? [{ type: 'suspected', node }] : []
}
