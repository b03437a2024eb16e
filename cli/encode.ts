import process from 'node:process'
import { faultsOf } from '../control/faults.ts'
import type { Reading } from '../control/project.ts'
import { type EncodedTable, encodeTable } from '../control/publish/encode.ts'
import type { GatewayTable } from '../control/table.ts'
import { printFault } from './faults.ts'
import { UsageError } from './usage.ts'

/** The tables of a reading as a store keeps them. Faults go to the terminal; only those that leave nothing to publish, or
 *  would leave out what was meant, end the command. */
export function encodeAll(reading: Reading): readonly EncodedTable[] {
  const faults = faultsOf(reading).filter(({ severity }) => severity !== 'info')
  for (const fault of faults) process.stderr.write(`${printFault(fault)}\n`)
  const refused = reading.loaded.problems.some(({ severity }) => severity === 'error')
  if (refused) throw new UsageError('the manifests have errors; nothing was written')
  return reading.compiled.tables.map(encoded)
}

/** A table as a store keeps it, where it is not too large for any. */
export function encoded(table: GatewayTable): EncodedTable {
  const result = encodeTable(table)
  if (!result.ok) throw new UsageError(result.problems.map(({ message }) => message).join('\n'))
  return result.table
}
