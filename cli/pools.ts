import { readFile, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { Command, Option } from 'commander'
import { type Allocation, addresses, addressObjects, allocate, type Outcome } from '../control/addresses/allocation.ts'
import { oldestClaim } from '../control/addresses/claim.ts'
import { available } from '../control/addresses/conditions.ts'
import type { Given } from '../control/addresses/draft.ts'
import { recordsName, writeRecords } from '../control/addresses/records.ts'
import { compareText } from '../control/compile/merge.ts'
import { parseIP } from '../kube/addresses/ip-number.ts'
import { readManifests } from '../kube/manifests.ts'
import { formatProblem } from '../kube/problem.ts'
import { bad, count, printJson, table, warn } from './terminal.ts'
import { filesOption, UsageError } from './usage.ts'

interface PoolsFlags {
  readonly filename: string[]
  readonly output?: 'json' | 'wide'
}

/** How a holder came to its address, in the words of `landfall pools`. */
const recorded: Readonly<Record<Given['origin'], string>> = {
  status: 'in its status',
  record: 'recorded',
  request: 'asked for',
  chosen: 'not recorded',
}

const listCommand = new Command('list')
  .description('say which pools there are, what they have left, and who has which address (what "landfall pools" does)')
  .addOption(filesOption())
  .addOption(new Option('-o, --output <format>', 'json, or a wide table').choices(['json', 'wide']))
  .action(async ({ filename, output }: PoolsFlags) => {
    const { allocation, hasErrors } = await readAllocation(filename)
    if (output === 'json') printJson(summary(allocation))
    else
      process.stdout.write(`${[...tables(allocation, output === 'wide'), ...apart(remarks(allocation))].join('\n')}\n`)
    if (hasErrors || remarks(allocation).length > 0) process.exitCode = 1
  })

const assignCommand = new Command('assign')
  .description('write down who has which address, so that nobody loses it when others come or go')
  .addOption(filesOption())
  .requiredOption('-o, --output <file>', 'where to write, or - for standard output; a file among those of -f')
  .addHelpText(
    'after',
    `
The file holds ConfigMaps with the name landfall-addresses, one a namespace. Keep it with the manifests.

Example:
  $ landfall pools assign -f manifests/ -o manifests/addresses.yaml && git diff manifests/addresses.yaml`,
  )
  .action(async ({ filename, output }: { readonly filename: string[]; readonly output: string }) => {
    const { allocation, hasErrors } = await readAllocation(filename)
    if (hasErrors)
      throw new UsageError(`${output} stays as it is: what is wrong with the manifests might cost somebody an address`)
    for (const line of remarks(allocation)) process.stderr.write(`${line}\n`)
    if (remarks(allocation).length > 0) process.exitCode = 1
    const holders = outcomesOf(allocation).map((outcome) => [outcome.claim, addresses(outcome)] as const)
    const text = writeRecords(holders)
    if (output === '-') process.stdout.write(text)
    else {
      const before = await readFile(output, 'utf8').catch(() => undefined)
      if (before?.includes(recordsName) && allocation.objects.records.length === 0)
        throw new UsageError(`${output} has records already, which would be forgotten; name it with -f, too`)
      if (before !== text) await writeFile(output, text)
      const held = holders.filter(([, addresses]) => addresses.length > 0).length
      process.stdout.write(`${count(held, 'holder')} in ${output}${before === text ? ', as before' : ''}\n`)
    }
  })

export const poolsCommand = new Command('pools')
  .description('see and write down which Service and Gateway has which address of a pool')
  .addHelpText(
    'after',
    `
Examples:
  $ landfall pools -f manifests/
  $ landfall pools -f manifests/ -o wide
  $ landfall pools -f manifests/ -o json | jq '.claims[] | select(.refusal)'
  $ landfall pools assign -f manifests/ -o manifests/addresses.yaml`,
  )
  .addCommand(listCommand, { isDefault: true })
  .addCommand(assignCommand)

async function readAllocation(
  paths: readonly string[],
): Promise<{ readonly allocation: Allocation; readonly hasErrors: boolean }> {
  const { objects, problems } = await readManifests(paths)
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`)
  const hasErrors = problems.some(({ severity }) => severity === 'error')
  return { allocation: allocate(addressObjects(objects)), hasErrors }
}

/** Of claims that are for these pools, the oldest first. */
const outcomesOf = ({ outcomes }: Allocation): readonly Outcome[] =>
  [...outcomes.values()].filter(({ isSelected }) => isSelected).sort((a, b) => oldestClaim(a.claim, b.claim))

function summary(allocation: Allocation): object {
  return {
    pools: allocation.pools.map(({ pool, blocks, total, used, conflict }) => ({
      kind: pool.kind,
      name: pool.metadata.name,
      blocks: blocks.map(({ text }) => text),
      disabled: pool.spec.disabled,
      ...(conflict !== undefined && { conflict }),
      // More than a number of JSON can be sure of.
      total: `${total}`,
      used,
      available: `${available({ total, used })}`,
    })),
    claims: outcomesOf(allocation).map(({ claim, given, lost, refusal }) => ({
      kind: claim.kind,
      namespace: claim.namespace,
      name: claim.name,
      addresses: given.filter((each) => each !== undefined),
      ...(refusal !== undefined && { refusal }),
      ...(lost.length > 0 && { lost }),
    })),
  }
}

function tables(allocation: Allocation, isWide: boolean): readonly string[] {
  if (allocation.pools.length === 0) return ['There is no pool of addresses.']
  const pools = table(
    ['Pool', 'Total', 'Used', 'Free', 'State', ...(isWide ? ['Kind', 'Blocks'] : [])],
    allocation.pools.map(({ pool, blocks, total, used, conflict }) => [
      pool.metadata.name,
      `${total}`,
      `${used}`,
      `${available({ total, used })}`,
      conflict === undefined ? (pool.spec.disabled ? 'disabled' : 'open') : 'in conflict',
      ...(isWide ? [pool.kind, blocks.map(({ text }) => text).join(', ')] : []),
    ]),
  )
  const holdings = outcomesOf(allocation).flatMap(({ claim, given }) =>
    given.filter((each) => each !== undefined).map((each) => ({ claim, ...each })),
  )
  if (holdings.length === 0) return [pools]
  const rows = holdings
    .toSorted((a, b) => byNumber(a.address, b.address))
    .map(({ claim, address, pool, origin }) => [
      address,
      pool.slice(pool.indexOf(' ') + 1),
      claim.key,
      recorded[origin],
      ...(isWide ? [claim.ports.join(','), claim.sharing?.key ?? '-'] : []),
    ])
  const head = ['Address', 'Pool', 'Holder', 'How', ...(isWide ? ['Ports', 'Sharing key'] : [])]
  return [pools, '', table(head, rows), ...unrecorded(holdings.filter(({ origin }) => origin === 'chosen').length)]
}

/** After an empty line. */
const apart = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines])

const unrecorded = (holders: number): readonly string[] =>
  holders === 0
    ? []
    : [
        '',
        `${count(holders, 'address', 'addresses')} not recorded: another may have it when others come; "landfall pools assign" records`,
      ]

function byNumber(a: string, b: string): number {
  const [first, second] = [parseIP(a), parseIP(b)]
  if (first === undefined || second === undefined) return compareText(a, b)
  return (
    compareText(first.family, second.family) || (first.value < second.value ? -1 : Number(first.value > second.value))
  )
}

/** What is wrong, a line each. */
function remarks(allocation: Allocation): readonly string[] {
  return [
    ...allocation.pools.flatMap(({ key, conflict }) =>
      conflict === undefined ? [] : [`${bad('cilium.io/PoolConflict')} ${key}: ${conflict}`],
    ),
    ...allocation.faults.map(
      ({ map, key, message }) =>
        `${warn('record')} ConfigMap ${map.metadata.namespace}/${map.metadata.name} ${key}: ${message}`,
    ),
    ...outcomesOf(allocation).flatMap(({ claim, lost, refusal }) => [
      ...(refusal === undefined ? [] : [`${bad(refusal.reason)} ${claim.key}: ${refusal.message}`]),
      ...lost.map(({ address, why }) => `${warn('lost')} ${claim.key} had ${address}, and has it no more: ${why}`),
      ...claim.faults.map((fault) => `${warn('annotation')} ${claim.key}: ${fault}`),
    ]),
  ]
}
