import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Command } from 'commander'
import { createTar } from 'nanotar'
import { planAnswer, pushAnswer } from '../control/service/answers.ts'
import { findFiles, stdinPath } from '../kube/manifest-files.ts'
import { printDiff, printWritten } from './changes.ts'
import { type ClientFlags, ControlClient, localName, withService } from './control-client.ts'
import { printFault } from './faults.ts'
import { printJson } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

/** Bytes of a file's name in a tar. */
const maxName = 100

interface PushFlags extends ClientFlags {
  readonly filename: string[]
  readonly dryRun?: boolean
  readonly allowEmpty?: boolean
  readonly ifVersion?: string
  readonly output?: 'json'
}

export const pushCommand = withService(new Command('push'))
  .description('push a set of manifests to the control service, which publishes it with all other sets')
  .argument('<set>', 'the name of the set')
  .addOption(filesOption())
  .option('--dry-run', 'say what would change, and write nothing')
  .option('--allow-empty', 'when the manifests have nothing to serve, remove what the set had')
  .option('--if-version <number>', 'only when the set is at this version; 0: only when it is not there yet')
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Exits with 1 when the manifests have errors, the set may not have what it asks for, or is at another version.

Examples:
  $ landfall push shop -f manifests/ --dry-run
  $ landfall push shop -f manifests/ --service https://control.example.com --token-file /run/secrets/landfall`,
  )
  .action(async (set: string, flags: PushFlags) => {
    const { filename, dryRun = false, allowEmpty = false, ifVersion, output } = flags
    const client = new ControlClient(flags)
    const request = {
      headers: { 'content-type': 'application/x-tar', 'content-encoding': 'gzip', ...precondition(ifVersion) },
      body: new Uint8Array(await promisify(gzip)(await packed(filename), { level: 1 })),
    }
    const query = allowEmpty ? '?allowEmpty=true' : ''
    const path = `/v1/sets/${encodeURIComponent(set)}`
    const answer = dryRun
      ? await client.ask({ method: 'POST', path: `${path}/plan${query}`, ...request }, planAnswer)
      : await client.ask({ method: 'PUT', path: `${path}${query}`, ...request }, pushAnswer)
    if (answer === undefined) return
    if (output === 'json') return printJson(answer)
    const { entries, bytes, collected } = answer.written
    for (const finding of answer.findings) {
      if (finding.severity === 'info') continue
      process.stderr.write(`${printFault({ ...finding, file: localName(finding.file) })}\n`)
    }
    const lines = [...answer.changes.map(printDiff), printWritten(entries, bytes, collected, dryRun)]
    process.stdout.write(`${lines.join('\n')}\n${'version' in answer ? inEffect(set, answer) : ''}`)
  })

/** The last entry of the audit log too, so that the log of the job keeps it. */
export const inEffect = (
  set: string,
  { version, unchanged, audit }: { version: number; unchanged: boolean; audit: { sequence: number; hash: string } },
): string => `${set} ${unchanged ? 'stays at' : 'is at'} version ${version}; audit ${audit.sequence}:${audit.hash}\n`

export function precondition(version: string | undefined): Readonly<Record<string, string>> {
  if (version === undefined) return {}
  if (!/^\d{1,15}$/.test(version)) throw new UsageError('--if-version is a number')
  return Number(version) === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${Number(version)}"` }
}

/** A tar of the files below the paths, by their names below this directory. */
async function packed(paths: readonly string[]): Promise<Uint8Array> {
  const { files, faults } = await findFiles(paths)
  for (const { file, message } of faults) throw new UsageError(`${file}: ${message}`)
  const items = []
  for (const file of files) {
    const name = file === stdinPath ? 'stdin.yaml' : relative('', file).replace(/^(\.\.\/)+/, '')
    if (Buffer.byteLength(name) > maxName) {
      throw new UsageError(
        `${name}: its name has more than ${maxName} bytes; push from a directory that is nearer to it`,
      )
    }
    items.push({
      name,
      data: new Uint8Array(file === stdinPath ? await standardInput() : await readFile(file)),
      attrs: { mtime: 0 },
    })
  }
  return createTar(items)
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}
