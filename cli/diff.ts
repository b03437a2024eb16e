import { existsSync } from 'node:fs'
import process from 'node:process'
import { Command, Option } from 'commander'
import { compile } from '../control/compile/compile.ts'
import { faultsOf } from '../control/faults.ts'
import { Project, type Reading } from '../control/project.ts'
import { StoreError } from '../control/publish/store.ts'
import { diffTables, type Tables, tablesIn } from '../control/route-diff/diff-tables.ts'
import { markdownOf } from '../control/route-diff/markdown.ts'
import { reportOf } from '../control/route-diff/report.ts'
import { differs } from '../control/route-diff/route-diff.ts'
import { Snapshot } from '../control/snapshot.ts'
import { TableError } from '../engine/table.ts'
import { assemble } from '../kube/loaded.ts'
import { parseFile } from '../kube/manifest-file.ts'
import { thisMachine } from '../serve/site.ts'
import { type ClientFlags, withService } from './control-client.ts'
import { diffText } from './diff-text.ts'
import { encoded } from './encode.ts'
import { printFault } from './faults.ts'
import { gitManifests } from './git-manifests.ts'
import { diffOfSet, type SetVersion, setVersionOf } from './set-diff.ts'
import { openStore } from './stores.ts'
import { count, printJson } from './terminal.ts'
import { UsageError } from './usage.ts'

interface DiffFlags extends ClientFlags {
  readonly filename?: string[]
  readonly output?: 'json' | 'markdown'
}

export const diffCommand = withService(new Command('diff'))
  .description('say which requests change their fate between two versions of manifests or tables, each by an example')
  .argument('<old>', 'manifests, a git revision, a store, or a version of a set')
  .argument('[new]', 'the same; with -f the files as they are now when it is left away')
  .option('-f, --filename <path...>', 'where the manifests are in a git revision that is named without a path')
  .addOption(new Option('-o, --output <format>', 'for a machine, or for a comment').choices(['json', 'markdown']))
  .addHelpText(
    'after',
    `
OLD and NEW are each one of:
  PATH              a file or directory of manifests, or - for standard input
  git:REV:PATH      that path in a git revision; the work tree is not touched
  REV               a git revision, with -f PATH… behind
  dir:PATH, local, cloudflare
                    the tables that are published there; "landfall publish --help" says what they need
  set:NAME, set:NAME@VERSION
                    a version of a set that the control service keeps, the latest where none is named, among the other sets
                    as they are; NEW is another one of it, or files that might be pushed

Every example was decided by the routing engine on both sides. Exits with 0 when nothing changes for any request or
connection, with 1 when something does, and with 2 when the two could not be compared.

Examples:
  $ landfall diff origin/main -f manifests/
  $ landfall diff v1.2 v1.3 -f manifests/ -o markdown
  $ landfall diff git:HEAD~1:deploy/manifests deploy/manifests
  $ landfall diff cloudflare manifests/
  $ landfall diff set:shop -f manifests/
  $ landfall diff set:shop@41 set:shop`,
  )
  .action(async (old: string, young: string | undefined, flags: DiffFlags) => {
    const { filename = [], output } = flags
    if (young === undefined && filename.length === 0) {
      throw new UsageError('with what? Name a second version, or files by -f behind a git revision')
    }
    if (old === '-' && young === '-') throw new UsageError('the standard input holds one of the two, not both')
    const set = setVersionOf(old)
    const diffs =
      set === undefined ? await diffOf(old, young, filename) : await diffOfSet(set, afterSet(young, filename), flags)
    if (diffs === undefined) {
      // 1 says that something differs.
      process.exitCode = 2
      return
    }
    if (output === 'json') printJson(reportOf(diffs))
    else process.stdout.write(`${output === 'markdown' ? markdownOf(diffs) : diffText(diffs)}\n`)
    if (diffs.some(differs)) process.exitCode = 1
  })

type Side = 'OLD' | 'NEW'

async function diffOf(
  old: string,
  young: string | undefined,
  filename: readonly string[],
): Promise<ReturnType<typeof diffTables>> {
  const before = await tablesOf(old, filename, 'OLD')
  const after = young === undefined ? await tablesOfFiles(filename, 'NEW') : await tablesOf(young, filename, 'NEW')
  return compared(before, after)
}

/** What a version of a set is compared with. */
function afterSet(young: string | undefined, filename: readonly string[]): SetVersion | readonly string[] {
  if (young === undefined) return filename
  const version = setVersionOf(young)
  if (version !== undefined) return version
  if (filename.length > 0) throw new UsageError('a version of a set is compared with another one, a path, or -f PATH…')
  return [young]
}

function compared(before: Tables, after: Tables): ReturnType<typeof diffTables> {
  try {
    return diffTables(before, after)
  } catch (error) {
    if (error instanceof TableError) throw new UsageError(error.message)
    throw error
  }
}

async function tablesOf(name: string, filename: readonly string[], side: Side): Promise<Tables> {
  if (setVersionOf(name) !== undefined) throw new UsageError(`${name} as NEW needs a version of the same set as OLD`)
  const [, revision, path] = /^git:([^:]+):(.*)$/s.exec(name) ?? []
  if (revision !== undefined && path !== undefined) return tablesOfRevision(revision, [path || '.'], side)
  if (name === 'local' || name === 'cloudflare' || name.startsWith('dir:')) return tablesOfStore(name)
  if (name === '-') return tablesOfFiles([name], side)
  if (filename.length > 0) return tablesOfRevision(name, filename, side)
  if (existsSync(name)) return tablesOfFiles([name], side)
  throw new UsageError(`there is no ${name}; for a git revision write git:REV:PATH, or -f PATH behind`)
}

async function tablesOfStore(name: string): Promise<Tables> {
  const store = await openStore(name)
  try {
    const tables = await tablesIn(store)
    if (typeof tables === 'string') throw new UsageError(`${name}: ${tables}`)
    if (tables.size === 0) process.stderr.write(`landfall: ${name} has no tables\n`)
    return tables
  } catch (error) {
    if (error instanceof StoreError) throw new UsageError(error.message)
    throw error
  } finally {
    await store.close()
  }
}

const tablesOfFiles = async (paths: readonly string[], side: Side): Promise<Tables> =>
  publishable(await new Project(paths, thisMachine()).read(), side)

async function tablesOfRevision(revision: string, paths: readonly string[], side: Side): Promise<Tables> {
  const files = await gitManifests(revision, paths)
  if (files.length === 0) {
    // The old revision may be from before there were manifests.
    const what = `there are no manifests at ${paths.join(' ')} in ${revision}`
    if (side === 'NEW') throw new UsageError(what)
    process.stderr.write(`landfall: ${what}\n`)
  }
  const { loaded } = assemble(files.map(({ name, text }) => parseFile(`${revision}:${name}`, { text })))
  const snapshot = Snapshot.of(loaded.objects)
  return publishable({ loaded, snapshot, compiled: compile(snapshot, thisMachine()) }, side)
}

/** Errors in the old manifests may be what the new ones mend; new ones with errors nobody will publish. */
function publishable(reading: Reading, side: Side): Tables {
  const errors = faultsOf(reading).filter(({ severity, reason }) => severity === 'error' && reason === '')
  for (const fault of errors) process.stderr.write(`${printFault(fault)}\n`)
  if (errors.length > 0) {
    const what = `the manifests of ${side} have ${count(errors.length, 'error')}`
    if (side === 'NEW') throw new UsageError(`${what}; nothing was compared`)
    process.stderr.write(`landfall: ${what}, and are compared as far as they are right\n`)
  }
  return new Map(reading.compiled.tables.map((table) => [table.gateway, encoded(table)]))
}
