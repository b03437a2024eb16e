import { expect, test } from 'vitest'
import { type Action, defaultTiming, type Event, type Holding, newHolding, step } from './holding.ts'

const timing = {
  ...defaultTiming,
  probes: 2,
  probeInterval: 100,
  probeDelay: 40,
  burst: [10, 20],
  refresh: 1000,
}
const random = 0.5

/** What comes of events at their times; what is due in between is done when it is. */
class Life {
  readonly told: string[] = []
  #holding: Holding

  constructor(isTakenOver: boolean) {
    const [holding, actions] = newHolding(isTakenOver, { now: 0, random }, timing)
    this.#holding = holding
    this.#tell(0, actions)
  }

  get state(): string {
    return this.#holding.state
  }

  until(time: number): this {
    while (this.#holding.due <= time) this.#apply(this.#holding.due, { type: 'due' })
    return this
  }

  at(time: number, event: Event): this {
    this.until(time)
    this.#apply(time, event)
    return this
  }

  #apply(now: number, event: Event): void {
    const [holding, actions] = step(this.#holding, event, { now, random }, timing)
    this.#holding = holding
    this.#tell(now, actions)
  }

  #tell(now: number, actions: readonly Action[]): void {
    for (const action of actions) this.told.push(`${now} ${action.type === 'changed' ? action.state : action.type}`)
  }
}

const claimed: Event = { type: 'claimed' }
const conflicts = (life: Life): readonly string[] => life.told.filter((line) => !line.endsWith('announce'))

test('it is asked for twice, waited for, and then announced, often at first', () => {
  const { told } = new Life(false).until(2300)
  expect(told).toEqual([
    '0 probing',
    '20 probe',
    '120 probe',
    '220 answering',
    '220 announce',
    '230 announce',
    '250 announce',
    '1250 announce',
    '2250 announce',
  ])
})

test('what a live peer has held is not asked for', () => {
  expect(new Life(true).until(10).told).toEqual(['0 answering', '0 announce', '10 announce'])
})

test('an address that is asked for is answered for at once when a peer gives it up', () => {
  expect(new Life(false).at(50, { type: 'takenOver' }).until(50).told.slice(-2)).toEqual([
    '50 answering',
    '50 announce',
  ])
})

test('what is held is announced anew when a peer gives it up', () => {
  const life = new Life(true).until(500).at(500, { type: 'takenOver' }).until(600)
  expect(life.told).toEqual([
    '0 answering',
    ...['0 announce', '10 announce', '30 announce'],
    ...['500 announce', '510 announce', '530 announce'],
  ])
})

test.for([
  ['before it was asked for', 10],
  ['when it was asked for', 150],
  ['at the last moment', 219],
] as const)('an address that somebody has is not taken, when that is known %s', ([, time]) => {
  const life = new Life(false).at(time, claimed).until(60_000)
  expect(life.state).toBe('conflict')
  expect(life.told.filter((line) => /answering|announce/.test(line))).toEqual([])
  expect(life.told.at(-1)).toBe(`${time} conflict`)
})

test('an address that somebody had is asked for again, later', () => {
  const { told } = new Life(false).at(10, claimed).until(76_000)
  expect(told.slice(0, 6)).toEqual([
    '0 probing',
    '10 conflict',
    '75010 probing',
    '75030 probe',
    '75130 probe',
    '75230 answering',
  ])
})

test('as long as somebody has it, it is not asked for', () => {
  const life = new Life(false).at(10, claimed).at(60_000, claimed).until(134_000)
  expect(life.told).toEqual(['0 probing', '10 conflict'])
})

test('of two that ask for the same one goes on', () => {
  const rivalled = (isBefore: boolean): Life => new Life(false).at(50, { type: 'rivalled', isBefore }).until(300)
  expect(rivalled(false).state).toBe('answering')
  expect(rivalled(true).state).toBe('conflict')
})

test('who asks for what is answered for, or is another host’s, changes nothing', () => {
  const held = new Life(true).at(5, { type: 'rivalled', isBefore: true })
  expect(held.state).toBe('answering')
  const lost = new Life(false).at(5, claimed).at(6, { type: 'rivalled', isBefore: false })
  expect(lost.state).toBe('conflict')
})

test('a claim of a moment is told, and answered by one announcement more', () => {
  const life = new Life(true).until(1_100).at(1_100, claimed).at(1_200, claimed).at(3_099, claimed).until(3_100)
  expect(conflicts(life)).toEqual(['0 answering', '1100 disputed'])
  expect(life.told.filter((line) => line.endsWith('announce'))).toContain('2030 announce')
  expect(life.state).toBe('answering')
})

test('an announcement that is due later than a defence comes as the defence', () => {
  const slow = { ...timing, refresh: 60_000 }
  const [first] = newHolding(true, { now: 0, random }, slow)
  const [second] = step({ ...first, sent: 9, due: 50_000 }, claimed, { now: 100, random }, slow)
  expect(second.due).toBe(1_100)
})

test('a claim that goes on is given in to', () => {
  const life = new Life(true).until(1_100).at(1_100, claimed).at(3_100, claimed).until(60_000)
  expect(conflicts(life)).toEqual(['0 answering', '1100 disputed', '3100 conflict'])
})

test('a claim after long is a new one', () => {
  const life = new Life(true).at(1_100, claimed).at(11_100, claimed).at(21_100, claimed)
  expect(conflicts(life)).toEqual(['0 answering', '1100 disputed', '11100 disputed', '21100 disputed'])
})
