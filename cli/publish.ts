import process from 'node:process'
import { Command, Option } from 'commander'
import { few } from '../control/compile/finding.ts'
import { Project } from '../control/project.ts'
import { differences } from '../control/publish/diff.ts'
import { type PublishReport, publish } from '../control/publish/publish.ts'
import { type Store, StoreError } from '../control/publish/store.ts'
import { storedRoots } from '../control/publish/stored.ts'
import { thisMachine } from '../serve/site.ts'
import { printDiff, printWritten } from './changes.ts'
import { encodeAll } from './encode.ts'
import { refuseToDowngrade, type SigningFlags, signingOf, signKeyOption, validForOption } from './signing.ts'
import { openStore, storeWords } from './stores.ts'
import { dim, printJson } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

/** Gateways that an error names. */
const maxNamed = 20

interface PublishFlags extends SigningFlags {
  readonly filename: string[]
  readonly to: string
  readonly dryRun?: boolean
  readonly allowEmpty?: boolean
  readonly unsigned?: boolean
  readonly output?: 'json'
}

export const publishCommand = new Command('publish')
  .description('compile manifests and make a store hold their tables and no others')
  .addOption(filesOption())
  .requiredOption('--to <store>', storeWords)
  .option('--dry-run', 'say what would change, and write nothing')
  .option('--allow-empty', 'when the manifests have nothing to serve, remove all that the store has')
  .addOption(signKeyOption())
  .addOption(validForOption())
  .addOption(
    new Option('--unsigned', 'publish unsigned tables also where signed ones are').conflicts(['signKey', 'validFor']),
  )
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Stores:
  local        the Workers KV of "wrangler dev" in this folder (.wrangler/state)
  dir:PATH     files
  cloudflare   Workers KV; CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID in the environment, the namespace's id from
               CLOUDFLARE_KV_NAMESPACE_ID or from wrangler.toml

Examples:
  $ landfall publish -f manifests/ --to local
  $ landfall publish -f manifests/ --to cloudflare --dry-run
  $ landfall publish -f manifests/ --to cloudflare --sign-key landfall.key --valid-for 30d`,
  )
  .action(async (flags: PublishFlags) => {
    const { filename, to, dryRun = false, allowEmpty = false, unsigned = false, output } = flags
    const signing = unsigned ? undefined : await signingOf(flags)
    const reading = await new Project(filename, thisMachine()).read()
    const tables = encodeAll(reading)
    const store = await openStore(to)
    try {
      if (tables.length === 0 && !allowEmpty) await refuseToClear(store)
      if (signing !== undefined && signing.signer === undefined) await refuseToDowngrade(store)
      const pairs = tables.flatMap((encoded, index) => {
        const table = reading.compiled.tables[index]
        return table === undefined ? [] : [{ table, encoded }]
      })
      const diffs = await differences(store, pairs)
      const onProgress = output === undefined && process.stderr.isTTY ? showProgress : () => {}
      const report = await publish(store, tables, { now: Date.now, dryRun, onProgress, ...signing })
      if (output === 'json')
        printJson({
          changes: diffs,
          written: report.written,
          bytes: report.bytes,
          collected: report.collected,
          signed: [...report.signed].map(([key, { sequence, notAfter }]) => ({ key, sequence, notAfter })),
          dryRun,
        })
      else process.stdout.write(`${[...diffs.map(printDiff), printReport(report, dryRun)].join('\n')}\n`)
    } catch (error) {
      if (error instanceof StoreError) throw new UsageError(error.message)
      throw error
    } finally {
      await store.close()
    }
  })

/** An empty directory, or a pipe of which nothing came, is rather a mistake than the wish to serve nothing any more. */
async function refuseToClear(store: Store): Promise<void> {
  const roots = [...(await storedRoots(store))].filter(([, { goneSince }]) => goneSince === 0)
  if (roots.length === 0) return
  const gateways = few(roots.map(([key]) => key.slice('gateway/'.length)).sort(), maxNamed)
  throw new UsageError(
    `the manifests have no Gateway to serve, and all tables of the store would go: ${gateways}; --allow-empty lets them go`,
  )
}

function showProgress(written: number, total: number): void {
  process.stderr.write(`\r${dim(`${written} of ${total} entries written`)}${written === total ? '\n' : ''}`)
}

function printReport(report: PublishReport, dryRun: boolean): string {
  return [
    printWritten(report.written.length, report.bytes, report.collected.length, dryRun),
    ...(report.signed.size === 0 ? [] : [printSigned(report)]),
  ].join('\n')
}

/** What to set a floor to, so that nothing older is taken any more. */
function printSigned({ signed }: PublishReport): string {
  const all = [...signed.values()]
  const ends = all.map(({ notAfter }) => notAfter).filter((notAfter) => notAfter > 0)
  const until = ends.length === 0 ? 'for ever' : `until ${new Date(Math.min(...ends) * 1000).toISOString()}`
  return `signed: valid ${until}, sequence ${Math.min(...all.map(({ sequence }) => sequence))} or higher`
}
