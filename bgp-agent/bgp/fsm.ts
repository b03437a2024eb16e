import { BgpError, Cease, ErrorCode, StateError } from './error.ts'
import { type Local, type Negotiated, negotiate, staysOutgoing } from './negotiation.ts'
import { describe, type Notification } from './notification.ts'
import type { Open } from './open.ts'

// The state machine of RFC 4271 section 8 for one peer, with all connections that there may be at a time: the one that this
// side opens and those that it accepts. A function; sockets and clocks are its callers.

/** A connection: `outgoing` is the one that this side opens, any other number one that it has accepted. */
export type ConnectionId = number
export const outgoing: ConnectionId = 0

/** A connection as the machine sees it. 'connecting' is one that is not there yet. */
export type Link =
  | { readonly phase: 'connecting' | 'openSent' }
  | { readonly phase: 'openConfirm' | 'established'; readonly session: Negotiated }

export interface State {
  /** Whether there is to be a session. */
  readonly isStarted: boolean
  readonly links: ReadonlyMap<ConnectionId, Link>
  /** Attempts in a row that came to nothing. */
  readonly failures: number
}

export const stopped: State = { isStarted: false, links: new Map(), failures: 0 }

export interface PeerOptions extends Local {
  /** Seconds between attempts, at most. */
  readonly connectRetryTime: number
  /** Never opens a connection itself. */
  readonly isPassive: boolean
}

export type Event =
  | { readonly type: 'start' }
  | { readonly type: 'stop'; readonly notification: Notification }
  | { readonly type: 'retryTimer' }
  /** BFD was up, and says that the peer cannot be reached. */
  | { readonly type: 'bfdDown' }
  | ConnectionEvent

export type ConnectionEvent = { readonly id: ConnectionId } & (
  | { readonly type: 'connected' }
  /** The connection is gone, or could not be made. */
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'holdTimer' }
  | { readonly type: 'open'; readonly open: Open }
  | { readonly type: 'keepalive' }
  /** An UPDATE or a ROUTE-REFRESH: what it says is nothing to this machine. */
  | { readonly type: 'message' }
  | { readonly type: 'notification'; readonly notification: Notification }
  | { readonly type: 'fault'; readonly error: BgpError }
)

export type Action =
  /** To begin the attempt of `outgoing`. */
  | { readonly type: 'connect' }
  /** Waits anew; 0 seconds: no more. */
  | { readonly type: 'retryTimer'; readonly seconds: number }
  | { readonly type: 'up'; readonly id: ConnectionId; readonly session: Negotiated }
  | { readonly type: 'down'; readonly reason: string }
  /** An attempt that came to nothing, for the log. */
  | { readonly type: 'failed'; readonly reason: string }
  | ConnectionAction

export type ConnectionAction = { readonly id: ConnectionId } /** Its timers end with it. */ & (
  | { readonly type: 'close' }
  | { readonly type: 'sendOpen' }
  | { readonly type: 'sendKeepalive' }
  | { readonly type: 'sendNotification'; readonly notification: Notification }
  /** Begins anew; 0 seconds: never. */
  | { readonly type: 'holdTimer'; readonly seconds: number }
  | { readonly type: 'keepaliveTimer'; readonly seconds: number }
)

/** Seconds for a connection to come about. With a key of TCP MD5 a closed port answers nothing. */
const CONNECT_TIME = 10
/** Seconds for the peer's OPEN. RFC 4271 section 8.2.2 suggests four minutes. */
const OPEN_TIME = 240
/** Seconds before the first attempt after a failure; then twice as long each time. */
const FIRST_RETRY = 1

type Step = readonly [State, readonly Action[]]

/** One transition. */
export function step(state: State, event: Event, options: PeerOptions): Step {
  switch (event.type) {
    case 'start':
      return state.isStarted ? [state, []] : begin({ ...stopped, isStarted: true }, options)
    case 'stop':
      return stop(state, event.notification)
    case 'retryTimer':
      return state.isStarted && state.links.size === 0 ? begin(state, options) : [state, []]
    case 'bfdDown':
      return bfdDown(state, options)
    case 'connected':
      return connected(state, event.id)
    case 'lost':
      return end(state, event.id, undefined, event.reason, options)
    default: {
      const link = state.links.get(event.id)
      return link === undefined ? [state, []] : onLink(state, link, event, options)
    }
  }
}

function begin(state: State, { isPassive, connectRetryTime }: PeerOptions): Step {
  if (isPassive) return [state, []]
  const seconds = Math.min(CONNECT_TIME, connectRetryTime)
  return [
    withLink(state, outgoing, { phase: 'connecting' }),
    [{ type: 'connect' }, { type: 'holdTimer', id: outgoing, seconds }],
  ]
}

function stop(state: State, notification: Notification): Step {
  const actions = [...state.links].flatMap(([id, { phase }]): Action[] => [
    ...(phase === 'connecting' ? [] : [{ type: 'sendNotification', id, notification } as const]),
    { type: 'close', id },
  ])
  const wasUp = [...state.links.values()].some(({ phase }) => phase === 'established')
  return [
    stopped,
    [{ type: 'retryTimer', seconds: 0 }, ...actions, ...(wasUp ? [{ type: 'down', reason: 'stopped' } as const] : [])],
  ]
}

/** RFC 9384. What is not a session yet has timers that are short enough. */
function bfdDown(state: State, options: PeerOptions): Step {
  const [id] = [...state.links].find(([, { phase }]) => phase === 'established') ?? []
  if (id === undefined) return [state, []]
  const notification: Notification = { code: ErrorCode.cease, subcode: Cease.bfdDown, data: new Uint8Array() }
  return end(state, id, notification, 'BFD says that the peer cannot be reached', options)
}

function connected(state: State, id: ConnectionId): Step {
  if (!state.isStarted) return [state, [{ type: 'close', id }]]
  return [
    withLink(state, id, { phase: 'openSent' }),
    [
      { type: 'sendOpen', id },
      { type: 'holdTimer', id, seconds: OPEN_TIME },
    ],
  ]
}

type LinkEvent = Exclude<ConnectionEvent, { readonly type: 'connected' | 'lost' }>

function onLink(state: State, link: Link, event: LinkEvent, options: PeerOptions): Step {
  const { id } = event
  switch (event.type) {
    case 'holdTimer': {
      if (link.phase === 'connecting') return end(state, id, undefined, 'no connection in time', options)
      const expired: Notification = { code: ErrorCode.holdTimerExpired, subcode: 0, data: new Uint8Array() }
      return end(state, id, expired, 'the hold timer expired', options)
    }
    case 'fault':
      return end(state, id, event.error, event.error.message, options)
    case 'notification':
      return end(state, id, undefined, `the peer says: ${describe(event.notification)}`, options)
    case 'open':
      return link.phase === 'openSent'
        ? opened(state, id, event.open, options)
        : unexpected(state, link, event, options)
    case 'keepalive':
      if (link.phase === 'openConfirm') return establish(state, id, link.session)
      return link.phase === 'established' ? heard(state, id, link.session) : unexpected(state, link, event, options)
    case 'message':
      return link.phase === 'established' ? heard(state, id, link.session) : unexpected(state, link, event, options)
  }
}

function opened(state: State, id: ConnectionId, open: Open, options: PeerOptions): Step {
  try {
    const session = negotiate(options, open)
    const [survivors, actions] = collide(state, id, open, options)
    if (!survivors.links.has(id)) return [survivors, actions]
    return [
      withLink(survivors, id, { phase: 'openConfirm', session }),
      [
        ...actions,
        { type: 'sendKeepalive', id },
        { type: 'keepaliveTimer', id, seconds: session.keepaliveTime },
        { type: 'holdTimer', id, seconds: session.holdTime },
      ],
    ]
  } catch (error) {
    if (!(error instanceof BgpError)) throw error
    return end(state, id, error, error.message, options)
  }
}

/** Lets connections go until, of those whose ends have said who they are, one is left. RFC 4271 section 6.8. */
function collide(state: State, id: ConnectionId, open: Open, options: PeerOptions): Step {
  let step: Step = [state, []]
  for (const [rival, { phase }] of state.links) {
    if (rival === id || phase === 'connecting' || phase === 'openSent') continue
    if (phase === 'established') {
      // A peer that restarts knows nothing of the session any more. RFC 4724 section 5.
      if (open.capabilities.gracefulRestart === undefined) return drop(step, id)
      const [left, actions] = step
      const down = { type: 'down', reason: 'the peer has connected anew' } as const
      step = [withoutLink(left, rival), [...actions, { type: 'close', id: rival }, down]]
    } else if (rival !== outgoing && id !== outgoing) step = drop(step, rival)
    else return drop(step, staysOutgoing(options, open) ? Math.max(id, rival) : outgoing)
  }
  return step
}

function drop([state, actions]: Step, id: ConnectionId): Step {
  const notification: Notification = { code: ErrorCode.cease, subcode: Cease.collision, data: new Uint8Array() }
  const isThere = state.links.get(id)?.phase !== 'connecting'
  return [
    withoutLink(state, id),
    [...actions, ...(isThere ? [{ type: 'sendNotification', id, notification } as const] : []), { type: 'close', id }],
  ]
}

/** Whatever the other connections have come to, this one is the session. */
function establish(state: State, id: ConnectionId, session: Negotiated): Step {
  let step: Step = [state, []]
  for (const rival of state.links.keys()) if (rival !== id) step = drop(step, rival)
  const [alone, actions] = step
  return [
    { ...withLink(alone, id, { phase: 'established', session }), failures: 0 },
    [
      ...actions,
      { type: 'retryTimer', seconds: 0 },
      { type: 'holdTimer', id, seconds: session.holdTime },
      { type: 'up', id, session },
    ],
  ]
}

const heard = (state: State, id: ConnectionId, { holdTime }: Negotiated): Step => [
  state,
  [{ type: 'holdTimer', id, seconds: holdTime }],
]

/** A message that may not come in this state. RFC 6608. */
function unexpected(state: State, { phase }: Link, { id, type }: LinkEvent, options: PeerOptions): Step {
  const subcode = phase === 'connecting' ? 0 : StateError[phase]
  const error = new BgpError(ErrorCode.stateMachine, subcode, `${type} in the state ${phase}`)
  return end(state, id, error, error.message, options)
}

/** One connection is over; when no other is left, the next attempt waits. */
function end(
  state: State,
  id: ConnectionId,
  notification: Notification | undefined,
  reason: string,
  { isPassive, connectRetryTime }: PeerOptions,
): Step {
  const link = state.links.get(id)
  if (link === undefined) return [state, []]
  const left = withoutLink(state, id)
  const isTold = notification !== undefined && link.phase !== 'connecting'
  const actions: Action[] = [
    ...(isTold ? [{ type: 'sendNotification', id, notification } as const] : []),
    { type: 'close', id },
    { type: link.phase === 'established' ? 'down' : 'failed', reason },
  ]
  if (left.links.size > 0) return [left, actions]
  if (!isPassive)
    actions.push({ type: 'retryTimer', seconds: Math.min(FIRST_RETRY * 2 ** state.failures, connectRetryTime) })
  return [{ ...left, failures: state.failures + 1 }, actions]
}

const withLink = (state: State, id: ConnectionId, link: Link): State => ({
  ...state,
  links: new Map(state.links).set(id, link),
})

function withoutLink(state: State, id: ConnectionId): State {
  const links = new Map(state.links)
  links.delete(id)
  return { ...state, links }
}

/** The name of the state that a person is shown. RFC 4271 section 8.2.2. */
export function nameOf({ isStarted, links }: State): string {
  const phases = [...links.values()].map(({ phase }) => phase)
  const furthest = (['established', 'openConfirm', 'openSent', 'connecting'] as const).find((phase) =>
    phases.includes(phase),
  )
  if (furthest === 'connecting') return 'connect'
  return furthest ?? (isStarted ? 'active' : 'idle')
}
