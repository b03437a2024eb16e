import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import process from 'node:process'
import { type Command as AnyCommand, Command, InvalidArgumentError, Option } from 'commander'
import { type Token, type Verb, verbs } from '../control/service/tokens.ts'
import { withDatabase } from './control-database.ts'
import { table } from './terminal.ts'
import { UsageError } from './usage.ts'

const day = 24 * 3600 * 1000

interface CreateFlags {
  readonly set: readonly string[]
  readonly verb: readonly Verb[]
  readonly days?: number
  readonly sql?: boolean
}

const create = new Command('create')
  .description('make a token and print it, once and never again')
  .argument('<name>', 'what it is for; versions and the audit log show it')
  .requiredOption('--set <name...>', 'the sets that it is for; "*": all')
  .addOption(
    new Option('--verb <verb...>', 'what it may do with them')
      .choices(verbs)
      .default(['read', 'plan', 'push', 'rollback']),
  )
  .option('--days <number>', 'it holds for so many days; for ever when not given', days)
  .option('--sql', 'write nothing here, and print the statement that makes it known to a service on D1')
  .addHelpText(
    'after',
    `
The token goes to standard output, so that it can be led into a file or a secret store.

Examples:
  $ landfall control token create ci-shop --set shop --verb push plan read > token
  $ landfall control token create ci --set '*' --sql 2> token.sql | npx wrangler secret put LANDFALL_CONTROL_TOKEN`,
  )
  .action(async (name: string, { set: sets, verb, days, sql = false }: CreateFlags, command: AnyCommand) => {
    const wanted = { name, sets, verbs: verb, expiresAt: days === undefined ? undefined : Date.now() + days * day }
    await withTokens(command, async (tokens, database) => {
      const { words, statements, token } = await tokens.create(wanted, actor(), randomBytes)
      if (sql) process.stderr.write(`${literal(statements[0])};\n`)
      else {
        await database.write(statements)
        process.stderr.write(`token ${token.id} for ${verb.join(', ')} on ${sets.join(', ')}; it is shown only now:\n`)
      }
      process.stdout.write(`${words}\n`)
    })
  })

const list = new Command('list')
  .description('show all tokens; their secrets are not known here')
  .action(async (_flags: unknown, command: AnyCommand) => {
    await withTokens(command, async (tokens) => {
      const rows = (await tokens.list()).map((token) => [
        token.id,
        token.name,
        token.sets.join(' '),
        token.verbs.join(' '),
        new Date(token.madeAt).toISOString(),
        stateOf(token),
      ])
      process.stdout.write(`${table(['ID', 'NAME', 'SETS', 'VERBS', 'MADE', 'STATE'], rows)}\n`)
    })
  })

const revoke = new Command('revoke')
  .description('let a token hold no more, from now on')
  .argument('<id>', 'as list shows it')
  .action(async (id: string, _flags: unknown, command: AnyCommand) => {
    await withTokens(command, async (tokens) => {
      if (!(await tokens.revoke(id, actor()))) throw new UsageError(`there is no token ${id} that holds`)
      process.stdout.write(`token ${id} holds no more\n`)
    })
  })

export const tokenCommand = new Command('token')
  .description('make, list and revoke the tokens of the control service')
  .addCommand(create)
  .addCommand(list)
  .addCommand(revoke)

type Tokens = import('../control/service/tokens.ts').Tokens
type Sql = import('../control/service/sql.ts').Sql

async function withTokens(command: AnyCommand, use: (tokens: Tokens, database: Sql) => Promise<void>): Promise<void> {
  const [{ Audit }, { Tokens }] = await Promise.all([
    import('../control/service/audit.ts'),
    import('../control/service/tokens.ts'),
  ])
  await withDatabase(command, (database) =>
    use(new Tokens(database, new Audit(database, Date.now), Date.now), database),
  )
}

const actor = (): string => `${userInfo().username} at the terminal`

const stateOf = ({ revokedAt, expiresAt }: Token): string => {
  if (revokedAt !== undefined) return `revoked ${new Date(revokedAt).toISOString()}`
  if (expiresAt === undefined) return 'holds'
  return `${expiresAt <= Date.now() ? 'ended' : 'holds until'} ${new Date(expiresAt).toISOString()}`
}

function days(text: string): number {
  const number = Number(text)
  if (!/^\d{1,5}$/.test(text) || number === 0) throw new InvalidArgumentError('write a number of days.')
  return number
}

/** A statement with its values in it. */
function literal(statement: import('../control/service/sql.ts').Statement | undefined): string {
  const values = [...(statement?.values ?? [])]
  return (statement?.text ?? '').replaceAll('?', () => {
    const value = values.shift() ?? null
    return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
  })
}
