import type { Site } from '../compile/compile.ts'
import type { Store } from '../publish/store.ts'
import { Answers } from './answered.ts'
import { Audit } from './audit.ts'
import { Bodies } from './bodies.ts'
import { History } from './history.ts'
import { Ledger } from './ledger.ts'
import type { Limits } from './limits.ts'
import { Metrics } from './metrics.ts'
import { ProgressFeed } from './progress.ts'
import { Publisher, type Publishing } from './publisher.ts'
import { RateLimit } from './rate.ts'
import type { Sql } from './sql.ts'
import { Tokens } from './tokens.ts'
import type { Turns } from './turns.ts'
import { Union } from './union.ts'

/** What a place has to give for the service to run there. */
export interface Place {
  readonly sql: Sql
  readonly store: Store
  readonly site: Site
  readonly turns: Turns
  readonly limits: Limits
  readonly publishing: Publishing
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly log: (level: 'info' | 'error', event: string, fields: Readonly<Record<string, string | number>>) => void
}

/** All parts of the service, put together. */
export interface Service {
  readonly place: Place
  readonly history: History
  readonly audit: Audit
  readonly tokens: Tokens
  readonly union: Union
  readonly publisher: Publisher
  readonly progress: ProgressFeed
  readonly metrics: Metrics
  readonly pushRate: RateLimit
  readonly readRate: RateLimit
  readonly bodies: Bodies
  /** Aborted when the service ends: streams are closed then. */
  readonly ending: AbortSignal
}

export function createService(place: Place, ending: AbortSignal): Service {
  const { sql, site, limits, now } = place
  const history = new History(sql)
  const audit = new Audit(sql, now)
  const answers = new Answers(sql, now)
  const union = new Union(history, site)
  const progress = new ProgressFeed()
  const metrics = new Metrics()
  const publisher = new Publisher({
    ...{ history, answers, union, now, ledger: new Ledger(sql, audit, history) },
    ...{ store: place.store, turns: place.turns, publishing: place.publishing },
    tell: (each) => {
      metrics.count(each)
      progress.tell(each)
    },
  })
  return {
    ...{ place, history, audit, union, publisher, progress, metrics },
    tokens: new Tokens(sql, audit, now),
    pushRate: new RateLimit(limits.pushes, now),
    readRate: new RateLimit(limits.reads, now),
    bodies: new Bodies(limits.bodies),
    ending,
  }
}
