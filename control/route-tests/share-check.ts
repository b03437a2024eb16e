import type { Draws } from './draws.ts'
import { type Expectation, isStatus, type Shares } from './expectation.ts'
import { everyDraw, type Mismatch } from './mismatch.ts'
import { isBackend } from './name-pattern.ts'
import type { Outcome } from './outcome.ts'

/** Shares of the draws by backend, or by status for those that Landfall answers. What no share is for must not occur. */
export function distributionMismatches(
  shares: Shares | undefined,
  draws: Draws,
  tolerance: number | undefined,
): readonly Mismatch[] {
  if (shares === undefined) return []
  const names = Object.keys(shares)
  const nameOf = ({ backend, status }: Outcome): string | undefined =>
    names.find((name) => (isStatus(name) ? Number(name) === status : backend !== undefined && isBackend(name, backend)))
  return [
    ...everyDraw(['distribution'], names.join(' or '), draws, (outcome) =>
      nameOf(outcome) === undefined ? outcome.words : undefined,
    ),
    ...shareMismatches('distribution', shares, draws, tolerance, (outcome) => [nameOf(outcome)]),
  ]
}

/** A list: these get a copy of every request, and nobody else. Shares: of the requests that each gets a copy of. */
export function mirrorMismatches(
  mirrors: Expectation['mirrors'],
  draws: Draws,
  tolerance: number | undefined,
): readonly Mismatch[] {
  if (mirrors === undefined) return []
  const names = Array.isArray(mirrors) ? mirrors : Object.keys(mirrors)
  const others = ({ mirrors }: Outcome) => mirrors.filter((key) => !names.some((name) => isBackend(name, key)))
  if (!Array.isArray(mirrors)) {
    return [
      ...everyDraw(
        ['mirrors'],
        `none but ${names.join(', ')}`,
        draws,
        (outcome) => others(outcome).join(', ') || undefined,
      ),
      ...shareMismatches('mirrors', mirrors, draws, tolerance, (outcome) =>
        names.filter((name) => outcome.mirrors.some((key) => isBackend(name, key))),
      ),
    ]
  }
  return everyDraw(['mirrors'], names.join(', ') || 'none', draws, (outcome) => {
    const holds =
      others(outcome).length === 0 && names.every((name) => outcome.mirrors.some((key) => isBackend(name, key)))
    return holds ? undefined : outcome.mirrors.join(', ') || 'none'
  })
}

function shareMismatches(
  field: 'distribution' | 'mirrors',
  shares: Shares,
  { drawn, total }: Draws,
  tolerance: number | undefined,
  namesOf: (outcome: Outcome) => readonly (string | undefined)[],
): Mismatch[] {
  return Object.entries(shares).flatMap(([name, share]) => {
    const times = drawn.reduce((sum, { outcome, times }) => sum + (namesOf(outcome).includes(name) ? times : 0), 0)
    const points = tolerance ?? spread(share, total)
    if (isShare(times, total, share, points)) return []
    const isExact = total === 1 || share === 0 || share === 100
    const expected = `${share} % of the requests${isExact ? '' : `, give or take ${rounded(points)}`}`
    const got = `${rounded((times / total) * 100)} %${total === 1 ? '' : ` of ${total} draws`}`
    return [{ path: [field, name], expected, got }]
  })
}

/** Nothing is nothing and everything everything, and a small share is more than nothing, whatever the tolerance. */
function isShare(times: number, total: number, share: number, tolerance: number): boolean {
  if (share === 0) return times === 0
  if (share === 100) return times === total
  return times > 0 && times < total && Math.abs((times / total) * 100 - share) <= tolerance
}

/** Four standard deviations of a share of so many draws, in percentage points: one right test in 16,000 would miss them. */
const spread = (share: number, draws: number): number => 4 * Math.sqrt((share * (100 - share)) / draws)

const rounded = (number: number): number => Number(number.toFixed(1))
