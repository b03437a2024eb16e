import process from 'node:process'
import { Command } from 'commander'
import { few } from '../control/compile/finding.ts'
import { Project } from '../control/project.ts'
import { type Changes, differences, type TableDiff } from '../control/publish/diff.ts'
import { type PublishReport, publish } from '../control/publish/publish.ts'
import { type Store, StoreError } from '../control/publish/store.ts'
import { storedRoots } from '../control/publish/stored.ts'
import { thisMachine } from '../serve/site.ts'
import { encodeAll } from './encode.ts'
import { openStore, storeWords } from './stores.ts'
import { bad, count, dim, good, printJson, strong, warn } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

/** Gateways that an error names. */
const maxNamed = 20

interface PublishFlags {
  readonly filename: string[]
  readonly to: string
  readonly dryRun?: boolean
  readonly allowEmpty?: boolean
  readonly output?: 'json'
}

export const publishCommand = new Command('publish')
  .description('compile manifests and make a store hold their tables and no others')
  .addOption(filesOption())
  .requiredOption('--to <store>', storeWords)
  .option('--dry-run', 'say what would change, and write nothing')
  .option('--allow-empty', 'when the manifests have nothing to serve, remove all that the store has')
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
  $ landfall publish -f manifests/ --to cloudflare --dry-run`,
  )
  .action(async ({ filename, to, dryRun = false, allowEmpty = false, output }: PublishFlags) => {
    const reading = await new Project(filename, thisMachine()).read()
    const tables = encodeAll(reading)
    const store = await openStore(to)
    try {
      if (tables.length === 0 && !allowEmpty) await refuseToClear(store)
      const pairs = tables.flatMap((encoded, index) => {
        const table = reading.compiled.tables[index]
        return table === undefined ? [] : [{ table, encoded }]
      })
      const diffs = await differences(store, pairs)
      const onProgress = output === undefined && process.stderr.isTTY ? showProgress : () => {}
      const report = await publish(store, tables, { now: Date.now, dryRun, onProgress })
      if (output === 'json')
        printJson({ changes: diffs, written: report.written, bytes: report.bytes, collected: report.collected, dryRun })
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

function printDiff({ gateway, listeners, routes, backends, settingsChanged }: TableDiff): string {
  const lines = [
    strong(`Gateway ${gateway}`),
    ...changed('listener', listeners),
    ...changed('', routes),
    ...changed('backend', backends),
  ]
  if (settingsChanged) lines.push(`  ${warn('~')} settings`)
  return lines.join('\n')
}

function changed(what: string, { added, changed, removed }: Changes): string[] {
  const line = (mark: string) => (name: string) => `  ${mark} ${what === '' ? name : `${what} ${name}`}`
  return [...added.map(line(good('+'))), ...changed.map(line(warn('~'))), ...removed.map(line(bad('-')))]
}

function printReport({ written, bytes, collected }: PublishReport, dryRun: boolean): string {
  if (written.length === 0 && collected.length === 0) return 'nothing to write: the store has these tables already'
  const parts = [
    `${dryRun ? 'would write' : 'wrote'} ${written.length} ${written.length === 1 ? 'entry' : 'entries'} (${bytes} bytes)`,
  ]
  if (collected.length > 0) parts.push(`${dryRun ? 'would delete' : 'deleted'} ${count(collected.length, 'old one')}`)
  return parts.join(', ')
}
