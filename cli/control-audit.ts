import process from 'node:process'
import { type Command as AnyCommand, Command, InvalidArgumentError } from 'commander'
import type { AuditEntry, AuditHead } from '../control/service/answers.ts'
import { withDatabase } from './control-database.ts'
import { bad, count, good } from './terminal.ts'

const verify = new Command('verify')
  .description('say whether the audit log is as it was written')
  .option('--head <sequence:hash>', 'the last entry as somebody else has kept it, such as the log of a CI job', head)
  .addHelpText(
    'after',
    `
Exits with 1 when an entry was changed, left out or put in, or when the end is cut off behind --head.

Examples:
  $ landfall control audit verify
  $ landfall control audit verify --head 1042:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9`,
  )
  .action(async ({ head: known }: { readonly head?: AuditHead }, command: AnyCommand) => {
    const [{ History }, { verifyAudit }] = await Promise.all([
      import('../control/service/history.ts'),
      import('../control/service/audit-check.ts'),
    ])
    await withAudit(command, async (audit, database) => {
      const history = new History(database)
      const versions = []
      for (const set of (await history.latest()).keys()) versions.push(...(await history.versions(set)))
      const { head, faults } = await verifyAudit(audit, known, versions)
      for (const fault of faults) process.stdout.write(`${bad('error')} ${fault}\n`)
      const verdict = faults.length === 0 ? good('as written') : bad('not as written')
      process.stdout.write(
        `${count(head.sequence, 'entry', 'entries')}, ${verdict}; head ${head.sequence}:${head.hash}\n`,
      )
      if (faults.length > 0) process.exitCode = 1
    })
  })

const show = new Command('show')
  .description('print the audit log, a line of JSON an entry')
  .action(async (_flags: unknown, command: AnyCommand) => {
    await withAudit(command, async (audit) => {
      for (let after: number | undefined = 0; after !== undefined; ) {
        const entries: readonly AuditEntry[] = await audit.after(after)
        for (const entry of entries) process.stdout.write(`${JSON.stringify(entry)}\n`)
        after = entries.at(-1)?.sequence
      }
    })
  })

export const auditCommand = new Command('audit')
  .description('look at the audit log of the control service')
  .addCommand(verify)
  .addCommand(show)

type Audit = import('../control/service/audit.ts').Audit
type Sql = import('../control/service/sql.ts').Sql

async function withAudit(command: AnyCommand, use: (audit: Audit, database: Sql) => Promise<void>): Promise<void> {
  const { Audit } = await import('../control/service/audit.ts')
  await withDatabase(command, (database) => use(new Audit(database, Date.now), database))
}

function head(text: string): AuditHead {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === undefined) throw new InvalidArgumentError('write SEQUENCE:HASH, as verify and push print it.')
  return { sequence: Number(sequence), hash }
}
