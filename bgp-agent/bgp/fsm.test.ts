import { expect, test } from 'vitest'
import type { Capabilities } from './capabilities.ts'
import { BgpError, Cease, ErrorCode, OpenError } from './error.ts'
import {
  type Action,
  type ConnectionId,
  type Event,
  nameOf,
  outgoing,
  type PeerOptions,
  type State,
  step,
  stopped,
} from './fsm.ts'
import { ceaseWith } from './notification.ts'
import type { Open } from './open.ts'

const capabilities: Capabilities = {
  families: ['ipv4'],
  fourOctetAs: 65001,
  routeRefresh: true,
  enhancedRouteRefresh: false,
  extendedMessage: false,
  extendedNextHop: false,
  gracefulRestart: undefined,
  role: undefined,
}

const usual: PeerOptions = {
  asn: 65001,
  identifier: '10.0.0.2',
  holdTime: 90,
  keepaliveTime: 30,
  peerAsn: 65000,
  capabilities,
  connectRetryTime: 120,
  isPassive: false,
}

const theirs: Open = {
  asn: 65000,
  holdTime: 9,
  identifier: '10.0.0.1',
  capabilities: { ...capabilities, fourOctetAs: 65000 },
}

const restart = { isRestarting: true, survivesNotification: false, time: 120, forwarding: [], families: [] }

interface Walk {
  readonly state: State
  /** Of the last event. */
  readonly actions: readonly Action[]
  readonly name: string
}

function walk(events: readonly Event[], options: PeerOptions = usual): Walk {
  let state = stopped
  let actions: readonly Action[] = []
  for (const event of events) [state, actions] = step(state, event, options)
  return { state, actions, name: nameOf(state) }
}

const start: Event = { type: 'start' }
const connected = (id: ConnectionId = outgoing): Event => ({ type: 'connected', id })
const open = (id: ConnectionId = outgoing, changes: Partial<Open> = {}): Event => ({
  type: 'open',
  id,
  open: { ...theirs, ...changes },
})
const keepalive = (id: ConnectionId = outgoing): Event => ({ type: 'keepalive', id })
const established: readonly Event[] = [start, connected(), open(), keepalive()]

const typesOf = ({ actions }: Walk): readonly string[] => actions.map(({ type }) => type)
const notificationOf = ({ actions }: Walk) =>
  actions.flatMap((action) => (action.type === 'sendNotification' ? [action.notification] : []))[0]
const closed = ({ actions }: Walk) => actions.flatMap((action) => (action.type === 'close' ? [action.id] : []))

test.for<[string, readonly Event[], readonly string[]]>([
  ['connect', [start], ['connect', 'holdTimer']],
  ['openSent', [start, connected()], ['sendOpen', 'holdTimer']],
  ['openConfirm', [start, connected(), open()], ['sendKeepalive', 'keepaliveTimer', 'holdTimer']],
  ['established', established, ['retryTimer', 'holdTimer', 'up']],
])('a session comes up by way of %s', ([name, events, actions]) => {
  const reached = walk(events)
  expect([reached.name, typesOf(reached)]).toEqual([name, actions])
})

test('the shorter hold time of both holds, and a third of it is the time between keepalives', () => {
  expect(walk([start, connected(), open()]).actions).toEqual([
    { type: 'sendKeepalive', id: outgoing },
    { type: 'keepaliveTimer', id: outgoing, seconds: 3 },
    { type: 'holdTimer', id: outgoing, seconds: 9 },
  ])
})

test('a hold time of zero starts no timer', () => {
  expect(walk([start, connected(), open(outgoing, { holdTime: 0 })]).actions).toContainEqual({
    type: 'keepaliveTimer',
    id: outgoing,
    seconds: 0,
  })
})

test.for<[string, Partial<Open>, Partial<PeerOptions>, number]>([
  ['of another AS', { asn: 65009 }, {}, OpenError.badPeerAs],
  [
    'of the same AS with the same identifier',
    { asn: 65001, identifier: '10.0.0.2' },
    { peerAsn: 0 },
    OpenError.badIdentifier,
  ],
  [
    'without a family in common',
    { capabilities: { ...capabilities, families: ['ipv6'] } },
    {},
    OpenError.unsupportedCapability,
  ],
  [
    'of a role that does not fit',
    { capabilities: { ...capabilities, role: 3 } },
    { capabilities: { ...capabilities, role: 3 } },
    OpenError.roleMismatch,
  ],
])('an OPEN %s is refused', ([, changes, options, subcode]) => {
  const refused = walk([start, connected(), open(outgoing, changes)], { ...usual, ...options })
  expect(notificationOf(refused)).toMatchObject({ code: ErrorCode.open, subcode })
  expect([closed(refused), refused.name]).toEqual([[outgoing], 'active'])
})

test('a peer without a configured AS may be of any', () => {
  expect(walk([start, connected(), open(outgoing, { asn: 4_200_000_000 })], { ...usual, peerAsn: 0 }).name).toBe(
    'openConfirm',
  )
})

test('each attempt waits twice as long as the one before, up to the retry time', () => {
  const failed: Event = { type: 'lost', id: outgoing, reason: 'refused' }
  const again: Event = { type: 'retryTimer' }
  const events: Event[] = [start]
  const waits: number[] = []
  for (let attempt = 0; attempt < 9; attempt++) {
    const { actions } = walk([...events, failed])
    waits.push(...actions.flatMap((action) => (action.type === 'retryTimer' ? [action.seconds] : [])))
    events.push(failed, again)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120])
})

test('a passive peer never connects, and takes a connection', () => {
  const passive = { ...usual, isPassive: true }
  expect(typesOf(walk([start], passive))).toEqual([])
  expect(walk([start, connected(1), open(1), keepalive(1)], passive).name).toBe('established')
})

test.for<[string, string, ConnectionId]>([
  ['higher', '10.0.0.1', 1],
  ['lower', '10.0.0.3', outgoing],
])('of two connections, the one that the %s identifier has not opened is closed', ([, identifier, loser]) => {
  const events = [start, connected(), connected(1), open(outgoing, { identifier }), open(1, { identifier })]
  const collided = walk(events)
  expect(closed(collided)).toEqual([loser])
  expect(notificationOf(collided)).toMatchObject({ code: ErrorCode.cease, subcode: Cease.collision })
  const winner = loser === outgoing ? 1 : outgoing
  expect(walk([...events, keepalive(winner)]).name).toBe('established')
})

test('a connection beside an established session is refused', () => {
  const second = walk([...established, connected(1), open(1)])
  expect([closed(second), second.name]).toEqual([[1], 'established'])
})

test('a peer that restarts takes the place of its own dead session', () => {
  const again = open(1, { capabilities: { ...theirs.capabilities, gracefulRestart: restart } })
  const second = walk([...established, connected(1), again])
  expect(closed(second)).toEqual([outgoing])
  expect(typesOf(second)).toContain('down')
  expect(walk([...established, connected(1), again, keepalive(1)]).name).toBe('established')
})

test('the hold timer ends a session with the NOTIFICATION for it', () => {
  const over = walk([...established, { type: 'holdTimer', id: outgoing }])
  expect(notificationOf(over)).toMatchObject({ code: ErrorCode.holdTimerExpired, subcode: 0 })
  expect(typesOf(over)).toContain('down')
})

test.for<[string, Event, number]>([
  ['an UPDATE before the OPEN', { type: 'message', id: outgoing }, 1],
  ['a KEEPALIVE before the OPEN', keepalive(), 1],
])('%s is an error of the state machine', ([, event, subcode]) => {
  expect(notificationOf(walk([start, connected(), event]))).toMatchObject({ code: ErrorCode.stateMachine, subcode })
})

test('a second OPEN is an error of the state machine', () => {
  expect(notificationOf(walk([...established, open()]))).toMatchObject({ code: ErrorCode.stateMachine, subcode: 3 })
})

test('what is wrong on the wire is answered with what the error says', () => {
  const error = new BgpError(ErrorCode.messageHeader, 2, 'message length 18')
  expect(notificationOf(walk([...established, { type: 'fault', id: outgoing, error }]))).toBe(error)
})

test('a session that BFD loses ends at once with a NOTIFICATION, and there is another attempt', () => {
  const lost = walk([...established, { type: 'bfdDown' }])
  expect(notificationOf(lost)).toMatchObject({ code: ErrorCode.cease, subcode: Cease.bfdDown })
  expect(typesOf(lost)).toEqual(['sendNotification', 'close', 'down', 'retryTimer'])
  expect(walk([start, connected(), { type: 'bfdDown' }]).actions).toEqual([])
})

test('a stop tells every peer that is there, and waits for nothing', () => {
  const over = walk([...established, { type: 'stop', notification: ceaseWith(Cease.shutdown, 'bye') }])
  expect(typesOf(over)).toEqual(['retryTimer', 'sendNotification', 'close', 'down'])
  expect(over.name).toBe('idle')
  expect(walk([start, { type: 'stop', notification: ceaseWith(Cease.shutdown, '') }]).actions).toEqual([
    { type: 'retryTimer', seconds: 0 },
    { type: 'close', id: outgoing },
  ])
})

test('nothing that happens to a connection that is gone does anything', () => {
  const { state } = walk([start, connected(), { type: 'lost', id: outgoing, reason: 'reset' }])
  for (const event of [open(), keepalive(), { type: 'holdTimer', id: outgoing } as const])
    expect(step(state, event, usual)).toEqual([state, []])
})
