import * as z from 'zod'
import { rule, unique } from '../rule.ts'
import { parentReferences } from './references.ts'

/** CommonRouteSpec. */
export const routeSpec = {
  parentRefs: parentReferences.exactOptional(),
  useDefaultGateways: z.enum(['All', 'None']).exactOptional(),
}

export const uniqueRuleNames = unique<{ readonly name?: string }>(({ name }) => name, ['name'])

/** HTTPRouteSpec.rules and GRPCRouteSpec.rules: 64 matches fit in a rule and 16 rules in a route, but not all of them. */
export const totalMatches = rule<{ readonly matches?: readonly unknown[] }[]>((rules, report) => {
  const total = rules.reduce((sum, { matches = [] }) => sum + matches.length, 0)
  if (total > 128) report([], `have ${total} matches together; at most 128 fit in one route`)
})
