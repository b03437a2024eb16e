import process from 'node:process'
import type { Command } from 'commander'
import { program } from './program.ts'
import { UsageError } from './usage.ts'

const landfall = await program(process.argv[2])

for (const command of all(landfall)) {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
}

function all(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(all)]
}

try {
  await landfall.parseAsync()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`landfall: ${error.message}\n`)
  process.exitCode = 2
}
