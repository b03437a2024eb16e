import type { Feed } from '../standalone/feed.ts'
import type { PlaneOptions } from './plane.ts'

/** Milliseconds that requests have which are under way in a process that is replaced, or has lost its pool. */
export const leavingGrace = 30_000

/** What a pool asks of a process, 'start' first; each is answered with a Reply that has its id. */
export type Order =
  | { readonly type: 'start'; readonly id: number; readonly options: PlaneOptions }
  | { readonly type: 'apply'; readonly id: number; readonly feed: Feed }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'close'; readonly id: number; readonly grace: number }

/** Order without the id, of each type. */
export type Question = Order extends infer Each ? (Each extends Order ? Omit<Each, 'id'> : never) : never

export interface Reply {
  readonly type: 'reply'
  readonly id: number
  readonly value: unknown
}

/** What a process says. 'leaving': it was told from outside to end, and goes on until the pool has another in its place. */
export type Message = Reply | { readonly type: 'leaving' }
