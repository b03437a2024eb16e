import { formatField } from '../../kube/problem.ts'
import type { FieldPath } from '../../kube/rule.ts'
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
  /** Why it met what it met, a line each; of tests that fail. */
  readonly explanation: readonly string[]
  /** Milliseconds. */
  readonly duration: number
}

/** Runs tests on tables. `now` is in milliseconds since the epoch; `coverage` is told what each test reaches. */
export function runTests(
  tests: readonly RouteTest[],
  gateways: Gateways,
  now: () => number,
  coverage?: Coverage,
): readonly TestResult[] {
  return tests.map((test) => {
    const start = now()
    const result = runTest(test, gateways, start, coverage)
    return { ...result, duration: now() - start }
  })
}

function runTest(
  test: RouteTest,
  gateways: Gateways,
  now: number,
  coverage: Coverage | undefined,
): Omit<TestResult, 'duration'> {
  if (!gateways.has(test.gateway)) return { test, failures: [noSuchGateway(test, gateways)], explanation: [] }
  const draws = draw(test, gateways, now)
  coverage?.add(draws)
  const failures = mismatches(test.expect, draws, test.tolerance).map(({ path, ...rest }): Failure => {
    return { field: fieldOf(path), line: test.lineOf(path), ...rest }
  })
  return {
    test,
    failures,
    explanation: failures.length === 0 ? [] : explanation(test, gateways, now),
  }
}

const fieldOf = (path: FieldPath): string => formatField(['expect', ...path])

const noSuchGateway = ({ gateway = '', line }: RouteTest, { names }: Gateways): Failure => ({
  field: 'gateway',
  line,
  expected: gateway,
  got: names.length === 0 ? 'no Gateway that is served' : `no such Gateway; there are ${names.join(', ')}`,
})
