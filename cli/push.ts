import process from 'node:process'
import { Command } from 'commander'
import { planAnswer, pushAnswer } from '../control/service/answers.ts'
import { printDiff, printWritten } from './changes.ts'
import { type ClientFlags, ControlClient, localName, withService } from './control-client.ts'
import { printFault } from './faults.ts'
import { manifestsOf } from './manifest-body.ts'
import { withProgress } from './push-progress.ts'
import { printJson } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

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
    const { headers, body } = await manifestsOf(filename)
    const request = { headers: { ...headers, ...precondition(ifVersion) }, body }
    const query = allowEmpty ? '?allowEmpty=true' : ''
    const path = `/v1/sets/${encodeURIComponent(set)}`
    const answer = dryRun
      ? await client.ask({ method: 'POST', path: `${path}/plan${query}`, ...request }, planAnswer)
      : await client.ask(
          { method: 'PUT', path: `${path}${query}`, ...request },
          pushAnswer,
          watched(client, set, output),
        )
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

/** What a change of a set shows on a terminal before it is answered: nothing for a program that reads. */
export const watched =
  (client: ControlClient, set: string, output: 'json' | undefined) =>
  (wait: () => Promise<Response>): Promise<Response> =>
    output === undefined ? withProgress(client, set, process.stderr, wait) : wait()

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
