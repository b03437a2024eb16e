import process from 'node:process'
import { Command } from 'commander'
import { Project } from '../control/project.ts'
import { DirectoryStore } from '../control/publish/directory.ts'
import { thisMachine } from '../serve/site.ts'
import { encodeAll } from './encode.ts'
import { count } from './terminal.ts'
import { filesOption } from './usage.ts'

export const compileCommand = new Command('compile')
  .description(
    'write the entries that a data plane reads from its store as files, byte for byte the same for the same manifests',
  )
  .addOption(filesOption())
  .requiredOption('-o, --output <directory>', 'where to write; what another compile left there goes')
  .addHelpText(
    'after',
    '\nExample:\n  $ landfall compile -f manifests/ -o build/tables && git diff --stat build/tables',
  )
  .action(async ({ filename, output }: { readonly filename: string[]; readonly output: string }) => {
    const tables = encodeAll(await new Project(filename, thisMachine()).read())
    const store = new DirectoryStore(output)
    const stale = new Set(await store.list(''))
    for (const { key, shards } of tables) for (const name of [key, ...shards.keys()]) stale.delete(name)
    await store.delete([...stale])
    for (const { shards } of tables) await store.put(shards)
    await store.put(new Map(tables.map(({ key, rootBytes }) => [key, rootBytes])))
    const entries = tables.reduce((sum, { shards }) => sum + shards.size + 1, 0)
    process.stdout.write(`${count(tables.length, 'Gateway')}, ${entries} entries in ${output}\n`)
  })
