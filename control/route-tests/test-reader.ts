import * as z from 'zod'
import { explain } from '../../kube/explain.ts'
import { nearest } from '../../kube/nearest.ts'
import { formatField, type Problem } from '../../kube/problem.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { FieldLines, readDocument } from '../../kube/yaml/document.ts'
import { type Source, splitDocuments } from '../../kube/yaml/split.ts'
import type { Expectation } from './expectation.ts'
import { readSubject, type Subject } from './subject.ts'
import { type Defaults, type TestFields, testFile, testsKind } from './test-file.ts'

/** One test, with all that its file's defaults add. */
export interface RouteTest {
  readonly name: string
  readonly file: string
  /** From 1. */
  readonly line: number
  /** undefined for whichever Gateway takes the request. */
  readonly gateway: string | undefined
  readonly subject: Subject
  readonly expect: Expectation
  readonly draws: number
  readonly seed: number
  /** Percentage points; undefined for as many as that many draws need. */
  readonly tolerance: number | undefined
  /** The line of a field below `expect`. */
  lineOf(path: FieldPath): number
}

export interface ReadTests {
  readonly tests: readonly RouteTest[]
  readonly problems: readonly Problem[]
}

/** Problems of one document that are listed. */
const maxProblems = 50

/** Reads the tests of one file's text. Documents of other kinds are somebody else's. */
export function readTests(file: string, text: string): ReadTests {
  const read = splitDocuments(text).map((source) => readSource(file, source))
  return { tests: read.flatMap(({ tests }) => tests), problems: read.flatMap(({ problems }) => problems) }
}

/** Something wrong in a file of tests. */
export const problemOf = (file: string, line: number, field: string, message: string): Problem => ({
  severity: 'error',
  file,
  line,
  kind: '',
  namespace: '',
  name: '',
  field,
  message,
})

/** As almost every manifest says it: then nobody has to read the rest. */
const otherKind = /^kind:[ \t]+(?!RouteTests\b)\w/m

function readSource(file: string, { text, line: start }: Source): ReadTests {
  if (otherKind.test(text)) return { tests: [], problems: [] }
  const document = readDocument(text)
  if ('fault' in document) return { tests: [], problems: [problemOf(file, start + document.line, '', document.fault)] }
  const { value } = document
  if (isOfOtherKind(value)) return { tests: [], problems: [] }
  const lines = new FieldLines(text)
  const lineAt = (path: FieldPath): number => start + (path.length === 0 ? document.line : lines.line(path))
  const told = (path: FieldPath, message: string): Problem => problemOf(file, lineAt(path), formatField(path), message)

  const parsed = testFile.safeParse(value, { error: explainTests })
  if (!parsed.success) {
    const issues = withoutEchoes(parsed.error.issues).slice(0, maxProblems)
    const problems = issues.map((issue) => told(pathOf(issue), issue.message))
    return { tests: [], problems: problems.sort((a, b) => a.line - b.line) }
  }
  const { defaults = {}, tests } = parsed.data
  const problems: Problem[] = []
  const ready = tests.flatMap((fields, index): RouteTest[] => {
    const path = ['tests', index]
    const subject = readSubject(fields, defaults)
    if ('fault' in subject) {
      problems.push(told([...path, subject.field], subject.fault))
      return []
    }
    const lineOf = (below: FieldPath): number => lineAt([...path, 'expect', ...below])
    return [{ ...withDefaults(fields, defaults), subject, file, line: lineAt(path), lineOf }]
  })
  return { tests: ready, problems }
}

/** Whether it is a manifest, which may stand in the same directory or file. */
const isOfOtherKind = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind !== testsKind

function withDefaults({ name, expect, ...own }: TestFields, defaults: Defaults) {
  const { gateway, draws = 4000, seed = 1, tolerance } = { ...defaults, ...own }
  return { name, expect, gateway, draws, seed, tolerance }
}

/** As for manifests; but nothing that is unknown here may be let pass, or a test would prove less than it says. */
const explainTests: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'unrecognized_keys') return explain(issue)
  const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : []
  const [first = '', ...others] = issue.keys
  const meant = nearest(first, known)
  if (others.length > 0) return `unknown fields ${issue.keys.join(', ')}; known here: ${known.join(', ')}`
  return `unknown field; ${meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`}`
}

/** What has an unknown field may not be empty as it seems. */
function withoutEchoes(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const unknown = new Set(issues.flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [path.join('.')] : [])))
  return issues.filter(({ code, path }) => code !== 'custom' || !unknown.has(path.join('.')))
}

function pathOf(issue: z.core.$ZodIssue): FieldPath {
  const path = issue.path.filter((step) => typeof step !== 'symbol')
  const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : []
  return unknown === undefined ? path : [...path, unknown]
}
