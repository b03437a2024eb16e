import { formatField } from '../../kube/problem.ts'
import { mismatches } from './check.ts'
import type { Coverage } from './coverage.ts'
import { draw } from './draws.ts'
import { explanation } from './explanation.ts'
import type { Gateways } from './gateways.ts'
import type { RouteTest } from './test-reader.ts'

/** An expectation that does not hold, and where it is written. */
export interface Failure {
  /** "expect.upstream.path" */
  readonly field: string
  /** In the file of the test, from 1. */
  readonly line: number
  readonly expected: string
  readonly got: string
}

export interface TestResult {
  readonly test: RouteTest
  /** None: the test has passed. */
  readonly failures: readonly Failure[]
  /** Why it met what it met, a line each; of the first 100 tests that fail. */
  readonly explanation: readonly string[]
  /** Milliseconds. */
  readonly duration: number
}

/** Failed tests that are explained: to look at a whole table takes its time, and nobody reads more. */
const maxExplained = 100

/** Runs tests on tables. `now` is in milliseconds since the epoch; `coverage` is told what each test reaches. */
export function runTests(
  tests: readonly RouteTest[],
  gateways: Gateways,
  now: () => number,
  coverage?: Coverage,
): readonly TestResult[] {
  let explained = 0
  return tests.map((test) => {
    const start = now()
    const failures = failuresOf(test, gateways, start, coverage)
    const isExplained = failures.length > 0 && explained++ < maxExplained
    const lines = isExplained ? explanation(test, gateways, start) : []
    return { test, failures, explanation: lines, duration: now() - start }
  })
}

function failuresOf(
  test: RouteTest,
  gateways: Gateways,
  now: number,
  coverage: Coverage | undefined,
): readonly Failure[] {
  if (!gateways.has(test.gateway)) return [noSuchGateway(test, gateways)]
  const draws = draw(test, gateways, now)
  coverage?.add(draws)
  return mismatches(test.expect, draws, test.tolerance).map(({ path, ...rest }) => {
    return { field: formatField(['expect', ...path]), line: test.lineOf(path), ...rest }
  })
}

const noSuchGateway = ({ gateway = '', line }: RouteTest, { names }: Gateways): Failure => ({
  field: 'gateway',
  line,
  expected: gateway,
  got: names.length === 0 ? 'no Gateway that is served' : `no such Gateway; there are ${names.join(', ')}`,
})
