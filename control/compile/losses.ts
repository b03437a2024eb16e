import type { Attachment } from './attach.ts'
import type { Finding } from './finding.ts'
import { isAcceptedAt, type ParentState, type RouteState } from './route-state.ts'

/** What an attachment loses to other routes, and why. */
export interface Loss {
  /** The hostnames that it keeps; undefined when the route is not attached at all. */
  readonly left: readonly string[] | undefined
  readonly finding: Finding
}

export type Losses = Map<RouteState, Map<Attachment, Loss>>

/** What a route wants of a listener. */
export interface Claim {
  readonly state: RouteState
  readonly parent: ParentState
  readonly attachment: Attachment
}

export const lose = (losses: Losses, { state, attachment }: Claim, loss: Loss): void => {
  const lost = losses.get(state) ?? new Map<Attachment, Loss>()
  losses.set(state, lost.set(attachment, loss))
}

export const refuse = (losses: Losses, claim: Claim, finding: Finding): void =>
  lose(losses, claim, { left: undefined, finding })

/** Tells listeners apart. */
export const placeOf = ({ parent, attachment }: Claim): string => `${parent.gateway} ${attachment.listener}`

export function* claims(states: Iterable<RouteState>): Generator<Claim> {
  for (const state of states) {
    for (const parent of state.parents) {
      if (!isAcceptedAt(parent)) continue
      for (const attachment of parent.attachments) yield { state, parent, attachment }
    }
  }
}
