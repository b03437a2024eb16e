import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, Option } from 'commander'
import { readTableKey, type TableKey, tableKeyForm } from '../engine/table-key.ts'
import { SeenSequences } from '../serve/seen-sequences.ts'
import { TableTrust } from '../serve/table-trust.ts'
import { UsageError } from './usage.ts'

/** What commands that read published tables say of whose tables they take. */
export interface TableTrustFlags {
  readonly store?: string
  readonly tableKey?: readonly string[]
  readonly tableFloor?: number
  readonly tableState?: string
}

export const tableKeyOption = (): Option =>
  new Option(
    '--table-key <key...>',
    'with --store: take only tables that one of these public keys has signed; a key, or a file with one',
  )

export const tableFloorOption = (): Option =>
  new Option('--table-floor <sequence>', 'with --table-key: take no table of a lower sequence').argParser(sequence)

export const tableStateOption = (): Option =>
  new Option('--table-state <file>', 'with --table-key: remember here which tables were the newest, for the next start')

/** undefined: every table is taken. */
export async function tableTrustOf(flags: TableTrustFlags): Promise<TableTrust | undefined> {
  const { store, tableKey, tableFloor, tableState } = flags
  if (tableKey === undefined) {
    if (tableFloor === undefined && tableState === undefined) return undefined
    throw new UsageError('--table-floor and --table-state need --table-key: without it, every table is taken')
  }
  if (store === undefined) throw new UsageError('--table-key needs --store: manifests are not signed')
  const trust = { keys: await Promise.all(tableKey.map(keyOf)), floor: tableFloor ?? 0 }
  const state = tableState === undefined ? undefined : new SeenSequences(tableState)
  return TableTrust.open(trust, state).catch((error: unknown) => {
    throw new UsageError(`--table-state: ${error instanceof Error ? error.message : String(error)}`)
  })
}

async function keyOf(text: string): Promise<TableKey> {
  const key = readTableKey(text) ?? readTableKey(await readFile(text, 'utf8').catch(() => ''))
  if (key === undefined) throw new UsageError(`--table-key ${text}: neither ${tableKeyForm}, nor a file with one`)
  return key
}

function sequence(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('write a sequence, as landfall publish prints it.')
  return Number(text)
}
