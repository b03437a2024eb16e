import { createReadStream } from 'node:fs'
import process from 'node:process'
import { type FileText, readText } from '../../kube/file-text.ts'
import { findFiles, stdinPath, whyUnreadable } from '../../kube/manifest-files.ts'
import { problemOf, type ReadTests, type RouteTest, readTests } from './test-reader.ts'

/** Reads the tests in files, in directories with all below them, and of "-", the standard input. Throws nothing. */
export async function readTestFiles(paths: readonly string[]): Promise<ReadTests> {
  const found = await findFiles(paths)
  const problems = found.faults.map(({ file, message }) => problemOf(file, 1, '', message))
  const tests: RouteTest[] = []
  for (const path of found.files) {
    const name = path === stdinPath ? 'stdin' : path
    const read = await textOf(path)
    const own = 'text' in read ? readTests(name, read.text) : undefined
    if ('message' in read) problems.push(problemOf(name, read.line, '', read.message))
    tests.push(...(own?.tests ?? []))
    problems.push(...(own?.problems ?? []))
  }
  return { tests, problems }
}

async function textOf(path: string): Promise<FileText> {
  try {
    return await readText(path === stdinPath ? process.stdin : createReadStream(path))
  } catch (error) {
    return { message: whyUnreadable(error), line: 1 }
  }
}
