import { Option } from 'commander'

/** The command cannot do what it was asked, for a reason that the person at the terminal can mend. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Whether a person can mend it: a store that is away, an address that is taken, a directory that is not ours. */
export const isForPeople = (error: unknown): error is Error =>
  error instanceof Error && (error.name === 'StoreError' || 'syscall' in error)

/** `-f PATH…`, for every command that reads manifests. */
export const filesOption = (): Option =>
  new Option(
    '-f, --filename <path...>',
    'files, directories with all below them, or - for standard input',
  ).makeOptionMandatory()

/** `-o json`. */
export const outputOption = (): Option => new Option('-o, --output <format>', 'for a machine to read').choices(['json'])
