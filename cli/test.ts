import process from 'node:process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { faultsOf } from '../control/faults.ts'
import { Project, type Reading } from '../control/project.ts'
import { Coverage } from '../control/route-tests/coverage.ts'
import {
  type CoverageReport,
  coverageReport,
  type PlacedPart,
  type Share,
} from '../control/route-tests/coverage-report.ts'
import { Gateways } from '../control/route-tests/gateways.ts'
import { junit } from '../control/route-tests/junit.ts'
import { runTests, type TestResult } from '../control/route-tests/run.ts'
import { tap } from '../control/route-tests/tap.ts'
import { readTestFiles } from '../control/route-tests/test-files.ts'
import type { RouteTest } from '../control/route-tests/test-reader.ts'
import { ruleText } from '../control/rule-name.ts'
import { formatProblem } from '../kube/problem.ts'
import { thisMachine } from '../serve/site.ts'
import { printFault } from './faults.ts'
import { bad, count, dim, good, printJson, strong } from './terminal.ts'
import { filesOption, UsageError } from './usage.ts'

interface TestFlags {
  readonly filename: string[]
  readonly tests: string[]
  readonly output?: 'junit' | 'tap' | 'json'
  readonly coverage?: true
  readonly minCoverage?: number
}

export const testCommand = new Command('test')
  .description('hold manifests against tests of where requests and connections go, without a network')
  .addOption(filesOption())
  .requiredOption('-t, --tests <path...>', 'files of tests, directories with all below them, or - for standard input')
  .addOption(new Option('-o, --output <format>', 'for a machine to read').choices(['junit', 'tap', 'json']))
  .option('--coverage', 'name the rules, matches and filters that no test reaches')
  .option('--min-coverage <percent>', 'fail when less than this share of them is reached', percent)
  .addHelpText(
    'after',
    `
docs/route-tests.md has the format of tests. Exits with 1 when a test fails or the coverage is too low, and with 2 when
the tests or the manifests have errors.

Examples:
  $ landfall test -f manifests/ -t tests/
  $ landfall test -f examples/canary -t examples/canary --min-coverage 100
  $ landfall test -f manifests/ -t tests/ -o junit > report.xml`,
  )
  .action(async (flags: TestFlags) => {
    if (flags.filename.includes('-') && flags.tests.includes('-')) {
      throw new UsageError('the standard input holds manifests or tests, not both')
    }
    const tests = await testsIn(flags.tests)
    const reading = await new Project(flags.filename, thisMachine()).read()
    refuseErrors(reading)
    const { tables } = reading.compiled
    const isCovered = flags.coverage === true || flags.minCoverage !== undefined
    const coverage = isCovered ? new Coverage(tables) : undefined
    const results = runTests(tests, Gateways.of(tables), Date.now, coverage)
    const covered =
      coverage && coverageReport(coverage, reading.loaded, flags.output === 'json' ? Number.POSITIVE_INFINITY : most)
    print(results, covered, flags.output)
    const isLow = covered !== undefined && covered.percent < (flags.minCoverage ?? 0)
    if (isLow) process.stderr.write(`${bad(`${shown(covered.percent)} is less than ${flags.minCoverage} %`)}\n`)
    if (isLow || results.some(({ failures }) => failures.length > 0)) process.exitCode = 1
  })

function percent(text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !(number >= 0 && number <= 100)) {
    throw new InvalidArgumentError('a share is a number from 0 to 100.')
  }
  return number
}

async function testsIn(paths: readonly string[]): Promise<readonly RouteTest[]> {
  const { tests, problems } = await readTestFiles(paths)
  for (const problem of problems) process.stderr.write(`${bad('error')} ${formatProblem(problem)}\n`)
  if (problems.length > 0) throw new UsageError('the tests have errors; none was run')
  if (tests.length === 0) throw new UsageError(`there are no tests in ${paths.join(', ')}`)
  return tests
}

/** What cannot be published is not tested; what is published but not served shows in the tests. */
function refuseErrors(reading: Reading): void {
  const faults = faultsOf(reading).filter(({ severity }) => severity === 'error')
  for (const fault of faults) process.stderr.write(`${printFault(fault)}\n`)
  const refused = reading.loaded.problems.some(({ severity }) => severity === 'error')
  if (refused) throw new UsageError('the manifests have errors; no test was run')
}

function print(results: readonly TestResult[], covered: CoverageReport | undefined, output: TestFlags['output']): void {
  const report = covered === undefined ? '' : `${coverageLines(covered).join('\n')}\n`
  switch (output) {
    case 'json':
      printJson(asJson(results, covered))
      return
    case 'junit':
    case 'tap':
      process.stdout.write((output === 'tap' ? tap : junit)(results))
      process.stderr.write(report)
      return
    default:
      process.stdout.write(`${[...results.flatMap(failure), summary(results)].join('\n')}\n${report}`)
  }
}

function asJson(results: readonly TestResult[], coverage: CoverageReport | undefined) {
  const tests = results.map(({ test: { name, file, line }, failures, explanation }) => {
    return { name, file, line, passed: failures.length === 0, failures, explanation }
  })
  const failed = tests.filter(({ passed }) => !passed).length
  return { passed: tests.length - failed, failed, tests, ...(coverage && { coverage }) }
}

function failure({ test, failures, explanation }: TestResult): string[] {
  if (failures.length === 0) return []
  return [
    `${bad('FAIL')} ${strong(test.name)}`,
    ...failures.flatMap(({ field, line, expected, got }) => [
      `  ${test.file}:${line}: ${field}`,
      `    expected  ${good(expected)}`,
      `    got       ${bad(got)}`,
    ]),
    ...explanation.map((line) => dim(`  | ${line}`)),
    '',
  ]
}

function summary(results: readonly TestResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length
  const passed = `${count(results.length - failed, 'test')} passed`
  return failed === 0 ? good(passed) : `${passed}, ${bad(`${failed} failed`)}`
}

/** Parts that are named on a terminal. */
const most = 100

function coverageLines({ rules, matches, filters, percent, unreached, more }: CoverageReport): string[] {
  const of = ({ reached, total }: Share, noun: string): string => `${reached} of ${total} ${noun}`
  return [
    `Coverage: ${of(rules, 'rules')}, ${of(matches, 'matches')}, ${of(filters, 'filters')} (${shown(percent)})`,
    ...unreached.map((part) => `  ${partWords(part)}`),
    ...(more > 0 ? [`  and ${more} more; -o json has all`] : []),
  ]
}

function partWords({ kind, file, line, words, ...rule }: PlacedPart): string {
  return `${file}:${line}: ${ruleText(rule)}${kind === 'rule' ? '' : `, ${kind} of ${words || 'everything'}`}`
}

/** Rounded down: what is less than all is not 100 %. */
const shown = (percent: number): string => `${Math.floor(percent * 10) / 10} %`
