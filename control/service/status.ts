import type { z } from 'zod'
import { statuses } from '../status/statuses.ts'
import type { statusAnswer } from './answers.ts'
import { mayDo, type Token } from './tokens.ts'
import { type Candidate, setOf } from './workspace.ts'

/** The status of every object of the sets that the token may read. `now` in milliseconds since the epoch. */
export const statusOf = (
  { compiled, loaded }: Candidate,
  token: Token,
  now: number,
): z.input<typeof statusAnswer>['objects'] =>
  statuses(compiled, `${new Date(now).toISOString().slice(0, 19)}Z`).flatMap(({ object, status }) => {
    const set = setOf(loaded.where(object).file)
    if (!mayDo(token, 'read', set)) return []
    const { apiVersion, kind, metadata } = object
    return [{ set, apiVersion, kind, metadata, status: { ...status } }]
  })
