import type { Failure, TestResult } from './run.ts'

/** JUnit's XML, as CI systems read it: a suite a file. https://github.com/testmoapp/junitxml */
export function junit(results: readonly TestResult[]): string {
  const suites = [...Map.groupBy(results, ({ test }) => test.file)]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="landfall test" ${tallies(results)}>`,
    ...suites.flatMap(([file, own]) => [
      `  <testsuite name="${escaped(file)}" ${tallies(own)}>`,
      ...own.flatMap(testCase),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n')
}

function tallies(results: readonly TestResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length
  const time = results.reduce((sum, { duration }) => sum + duration, 0)
  return `tests="${results.length}" failures="${failed}" errors="0" skipped="0" time="${seconds(time)}"`
}

function testCase({ test, failures, explanation, duration }: TestResult): string[] {
  const { name, file, line } = test
  const place = `classname="${escaped(file)}" name="${escaped(name)}" file="${escaped(file)}" line="${line}"`
  const head = `    <testcase ${place} time="${seconds(duration)}"`
  if (failures.length === 0) return [`${head}/>`]
  const text = [...failures.map((failure) => `${file}:${failure.line}: ${said(failure)}`), '', ...explanation].join(
    '\n',
  )
  return [
    `${head}>`,
    `      <failure type="expectation" message="${escaped(failures.map(said).join('; '))}">${escaped(text)}</failure>`,
    '    </testcase>',
  ]
}

const said = ({ field, expected, got }: Failure): string => `${field}: expected ${expected}, got ${got}`

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3)

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML 1.0 has no place for, section 2.2. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const unfit = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g

const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(unfit, '\ufffd')
    .replace(/[&<>"]/g, (character) => entities[character] ?? character)
