import type { Draws } from './draws.ts'
import type { Expectation } from './expectation.ts'
import { headerMismatches } from './header-check.ts'
import { everyDraw, type Look, type Mismatch } from './mismatch.ts'
import { isBackend, isRoute } from './name-pattern.ts'
import { isReached, type Outcome } from './outcome.ts'
import { distributionMismatches, mirrorMismatches } from './share-check.ts'

/** Everything that was expected and is not so. `tolerance` is in percentage points. */
export function mismatches(expect: Expectation, draws: Draws, tolerance: number | undefined): readonly Mismatch[] {
  const { listener, route, rule, backend, status, redirect, reason, reachable, upstream } = expect
  const each = <T>(field: keyof Expectation, wanted: T | undefined, look: (wanted: T) => Look): readonly Mismatch[] =>
    wanted === undefined ? [] : everyDraw([field], words(wanted), draws, look(wanted))
  return [
    ...each('reachable', reachable, reachability),
    ...each('listener', listener, (wanted) => (got) => differs(got.listener === wanted, got.listener ?? 'none')),
    ...each('route', route, (wanted) => ({ matched, words }) => {
      if (matched === undefined) return `none: ${words}`
      return differs(isRoute(wanted, matched.route), matched.route)
    }),
    ...each('rule', rule, ruleLook),
    ...each('backend', backend, (wanted) => ({ backend, words }) => {
      return differs(backend !== undefined && [wanted].flat().some((each) => isBackend(each, backend)), words)
    }),
    ...each('status', status, (wanted) => (got) => differs(got.status === wanted, answerWords(got))),
    ...each('redirect', redirect, (wanted) => (got) => differs(got.redirect === wanted, got.redirect ?? got.words)),
    ...each('reason', reason, (wanted) => (got) => differs(got.why === wanted, got.why ?? got.words)),
    ...(upstream === undefined ? [] : upstreamMismatches(upstream, draws)),
    ...headerMismatches('requestHeaders', expect.requestHeaders, draws),
    ...headerMismatches('responseHeaders', expect.responseHeaders, draws),
    ...mirrorMismatches(expect.mirrors, draws, tolerance),
    ...distributionMismatches(expect.distribution, draws, tolerance),
  ]
}

const differs = (holds: boolean, got: string): string | undefined => (holds ? undefined : got)

const words = (wanted: unknown): string => (Array.isArray(wanted) ? wanted.join(' or ') : String(wanted))

const reachability = (wanted: boolean) => (outcome: Outcome) => differs(isReached(outcome) === wanted, outcome.words)

/** By place or by name. */
const ruleLook =
  (wanted: string | number) =>
  ({ matched, words }: Outcome) => {
    if (matched === undefined) return `none: ${words}`
    const holds = typeof wanted === 'number' ? matched.rule === wanted : matched.ruleName === wanted
    return differs(holds, matched.ruleName === '' ? `${matched.rule}` : `${matched.rule} "${matched.ruleName}"`)
  }

const answerWords = ({ backend, words }: Outcome): string => (backend === undefined ? words : `what ${backend} answers`)

function upstreamMismatches({ host, path }: NonNullable<Expectation['upstream']>, draws: Draws): readonly Mismatch[] {
  const ofHost = (wanted: string) =>
    everyDraw(['upstream', 'host'], wanted, draws, ({ upstream, words }) =>
      differs(upstream?.host === wanted, upstream?.host ?? words),
    )
  // A query counts where one is written.
  const ofPath = (wanted: string) =>
    everyDraw(['upstream', 'path'], wanted, draws, ({ upstream, words }) => {
      if (upstream === undefined) return words
      const whole = upstream.query === '' ? upstream.path : `${upstream.path}?${upstream.query}`
      return differs(wanted === whole || wanted === upstream.path, whole)
    })
  return [...(host === undefined ? [] : ofHost(host)), ...(path === undefined ? [] : ofPath(path))]
}
