import { type ControlPacket, Diagnostic, SessionState } from './packet.ts'

// One session of RFC 5880 in asynchronous mode: a function. Sockets and clocks are its callers. Intervals are in microseconds,
// as on the wire.

/** What this side wishes. */
export interface Timers {
  readonly desiredMinTx: number
  readonly requiredMinRx: number
  /** 1 to 255. */
  readonly detectMultiplier: number
}

export interface Session {
  /** bfd.LocalDiscr: not 0, and nobody else's on this machine. The same for as long as there is the session. */
  readonly discriminator: number
  readonly timers: Timers
  readonly state: SessionState
  /** bfd.LocalDiag. */
  readonly diagnostic: number
  readonly remote: Remote
  /** What is in force: longer to send, or shorter to wait, only when the peer knows. RFC 5880 section 6.8.3. */
  readonly inForce: Intervals
  /** Whether packets ask for an answer, and whether that answer will be to what has changed since. RFC 5880 section 6.5. */
  readonly poll: 'none' | 'asking' | 'outdated'
}

interface Intervals {
  readonly desiredMinTx: number
  readonly requiredMinRx: number
}

/** As the peer has said last. */
interface Remote extends Intervals {
  /** 0: it has said nothing, or nothing for a detection time. */
  readonly discriminator: number
  readonly state: SessionState
  readonly isDemand: boolean
  readonly detectMultiplier: number
}

export type Event =
  | { readonly type: 'start' }
  /** For this session: who finds it is the caller's. */
  | { readonly type: 'packet'; readonly packet: ControlPacket }
  | { readonly type: 'transmitTimer' }
  | { readonly type: 'detectionTimer' }
  | { readonly type: 'timers'; readonly timers: Timers }
  /** To be AdminDown from here on. */
  | { readonly type: 'disable' }

export type Action =
  | { readonly type: 'send'; readonly packet: ControlPacket }
  /** Waits anew, so many microseconds; undefined: no more. */
  | { readonly type: 'transmitTimer'; readonly after: number | undefined }
  | { readonly type: 'detectionTimer'; readonly after: number }
  | { readonly type: 'changed'; readonly state: SessionState; readonly diagnostic: number }

/** The least interval between packets while the session is not up. RFC 5880 section 6.8.3. */
const SLOW = 1_000_000

type Step = readonly [Session, readonly Action[]]

export function newSession(discriminator: number, timers: Timers): Session {
  return {
    discriminator,
    timers,
    state: SessionState.down,
    diagnostic: Diagnostic.none,
    remote: {
      discriminator: 0,
      state: SessionState.down,
      isDemand: false,
      detectMultiplier: 1,
      desiredMinTx: 0,
      requiredMinRx: 1,
    },
    inForce: { desiredMinTx: Math.max(SLOW, timers.desiredMinTx), requiredMinRx: timers.requiredMinRx },
    poll: 'none',
  }
}

/** One transition. `random` is in [0, 1). */
export function step(session: Session, event: Event, random: number): Step {
  switch (event.type) {
    case 'start':
    case 'transmitTimer':
      return [session, transmit(session, random)]
    case 'packet':
      return received(session, event.packet, random)
    case 'detectionTimer':
      return expired(session, random)
    case 'timers': {
      const next = polled(session, { ...session, timers: event.timers })
      const waits = next.remote.discriminator === 0 ? [] : [detectionTimer(next)]
      return [next, [...transmit(next, random), ...waits]]
    }
    case 'disable':
      return turned(session, SessionState.adminDown, Diagnostic.administrativelyDown, random)
  }
}

/** RFC 5880 section 6.8.6, from where the session is found. */
function received(before: Session, packet: ControlPacket, random: number): Step {
  const heard = listened(before, packet)
  if (before.state === SessionState.adminDown) return [heard, []]
  const [after, actions] = moved(heard, packet.state, random)
  const interval = intervalOf(after)
  // One that became shorter is not waited out to its old end.
  const isNews = interval < intervalOf(before) || interval === Number.POSITIVE_INFINITY
  return [
    after,
    [
      ...actions,
      ...(actions.length === 0 && isNews ? [transmitTimer(after, random)] : []),
      // RFC 5880 section 6.8.7: the answer does not wait for its turn.
      ...(packet.isPoll ? [{ type: 'send', packet: controlOf(after, true) } as const] : []),
      detectionTimer(after),
    ],
  ]
}

/** What the packet says of the peer. */
function listened(session: Session, packet: ControlPacket): Session {
  const remote: Remote = {
    discriminator: packet.myDiscriminator,
    state: packet.state,
    isDemand: packet.isDemand,
    detectMultiplier: packet.detectMultiplier,
    desiredMinTx: packet.desiredMinTx,
    requiredMinRx: packet.requiredMinRx,
  }
  if (!packet.isFinal || session.poll === 'none') return { ...session, remote }
  if (session.poll === 'outdated') return { ...session, remote, poll: 'asking' }
  return { ...session, remote, poll: 'none', inForce: wished(session) }
}

/** The state that the peer's leads to. RFC 5880 section 6.8.6. */
function moved(session: Session, theirs: SessionState, random: number): Step {
  const { adminDown, down, init, up } = SessionState
  if (theirs === adminDown) {
    if (session.state === down) return [session, []]
    return turned(session, down, Diagnostic.neighborSignaledDown, random)
  }
  if (session.state === down) {
    if (theirs === down) return turned(session, init, Diagnostic.none, random)
    return theirs === init ? turned(session, up, Diagnostic.none, random) : [session, []]
  }
  if (session.state === init) return theirs === down ? [session, []] : turned(session, up, Diagnostic.none, random)
  return theirs === down ? turned(session, down, Diagnostic.neighborSignaledDown, random) : [session, []]
}

/** Nothing has come for a detection time. RFC 5880 sections 6.8.1 and 6.8.4. */
function expired(session: Session, random: number): Step {
  // The next packet may be of a peer that has begun anew.
  const alone: Session = { ...session, remote: { ...session.remote, discriminator: 0 }, poll: 'none' }
  if (session.state !== SessionState.init && session.state !== SessionState.up) return [alone, []]
  return turned(alone, SessionState.down, Diagnostic.detectionTimeExpired, random)
}

/** The peer hears of a new state at once. RFC 5880 section 6.8.7. */
function turned(session: Session, state: SessionState, diagnostic: number, random: number): Step {
  const next = polled(session, { ...session, state, diagnostic })
  return [next, [{ type: 'changed', state, diagnostic }, ...transmit(next, random)]]
}

/** `next`, with what it wishes otherwise than `session` in force as far as the peer need not know first. */
function polled(session: Session, next: Session): Session {
  const [before, after] = [wished(session), wished(next)]
  if (before.desiredMinTx === after.desiredMinTx && before.requiredMinRx === after.requiredMinRx) return next
  const isUp = next.state === SessionState.up
  const { inForce, remote } = next
  return {
    ...next,
    inForce: {
      desiredMinTx: isUp ? Math.min(inForce.desiredMinTx, after.desiredMinTx) : after.desiredMinTx,
      requiredMinRx: isUp ? Math.max(inForce.requiredMinRx, after.requiredMinRx) : after.requiredMinRx,
    },
    poll: remote.discriminator === 0 ? 'none' : session.poll === 'none' ? 'asking' : 'outdated',
  }
}

/** bfd.DesiredMinTxInterval and bfd.RequiredMinRxInterval. */
const wished = ({ state, timers }: Session): Intervals => ({
  desiredMinTx: state === SessionState.up ? timers.desiredMinTx : Math.max(SLOW, timers.desiredMinTx),
  requiredMinRx: timers.requiredMinRx,
})

const transmit = (session: Session, random: number): readonly Action[] => [
  { type: 'send', packet: controlOf(session, false) },
  transmitTimer(session, random),
]

/** RFC 5880 section 6.8.7: up to a quarter sooner; with a detect multiplier of 1, a tenth at least. */
function transmitTimer(session: Session, random: number): Extract<Action, { type: 'transmitTimer' }> {
  const interval = intervalOf(session)
  if (interval === Number.POSITIVE_INFINITY) return { type: 'transmitTimer', after: undefined }
  const most = session.timers.detectMultiplier === 1 ? 0.9 : 1
  return { type: 'transmitTimer', after: interval * (0.75 + (most - 0.75) * random) }
}

/** Between two packets, before jitter. RFC 5880 sections 6.8.2 and 6.8.7. */
function intervalOf({ state, inForce, remote, poll }: Session): number {
  const { up } = SessionState
  const isAsked = remote.isDemand && state === up && remote.state === up && poll === 'none'
  if (remote.requiredMinRx === 0 || isAsked) return Number.POSITIVE_INFINITY
  return Math.max(inForce.desiredMinTx, remote.requiredMinRx)
}

/** RFC 5880 section 6.8.4. */
const detectionTimer = ({ inForce, remote }: Session): Action => ({
  type: 'detectionTimer',
  after: remote.detectMultiplier * Math.max(inForce.requiredMinRx, remote.desiredMinTx),
})

function controlOf(session: Session, isFinal: boolean): ControlPacket {
  return {
    state: session.state,
    diagnostic: session.diagnostic,
    isPoll: session.poll !== 'none' && !isFinal,
    isFinal,
    isDemand: false,
    detectMultiplier: session.timers.detectMultiplier,
    myDiscriminator: session.discriminator,
    yourDiscriminator: session.remote.discriminator,
    ...wished(session),
  }
}
