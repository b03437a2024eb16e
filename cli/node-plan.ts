import { hostname } from 'node:os'
import process from 'node:process'
import { Option } from 'commander'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import { readManifests } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { formatProblem } from '../kube/problem.ts'
import { table, warn } from './terminal.ts'

// What plans of a node, by BGP or on the local network, have in common at the terminal.

/** Which node's plan it is, and of what. */
export interface PlanFlags {
  readonly filename: string[]
  readonly node: string
  readonly secretNamespace: string
}

export const nodeOption = (): Option =>
  new Option('--node <name>', 'the Node that this is').default(hostname(), 'the name of this machine')

/** Objects of manifests, with the addresses that pools give them. Tells at once what is wrong with the manifests. */
export async function readAddressed(
  filename: readonly string[],
): Promise<{ readonly objects: readonly KubeObject[]; readonly hasErrors: boolean }> {
  const { objects, problems } = await readManifests(filename)
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`)
  return {
    objects: new AddressedObjects().next(objects),
    hasErrors: problems.some(({ severity }) => severity === 'error'),
  }
}

/** What is not announced; `what` is "Prefix" or "Address". */
export function withheldLines(
  what: string,
  withheld: readonly { readonly of: string; readonly source: string; readonly why: string }[],
): string[] {
  if (withheld.length === 0) return []
  const rows = withheld.map(({ of, source, why }) => [of, source, why])
  return ['', 'Withheld:', table([what, 'From', 'Why'], rows)]
}

/** What is wrong. */
export const remarks = ({
  conditions,
  faults,
}: {
  readonly conditions: readonly { readonly object: string; readonly type: string; readonly message: string }[]
  readonly faults: readonly string[]
}): string[] => [
  ...conditions.map(({ object, type, message }) => `${warn(type)} ${object}: ${message}`),
  ...faults.map((fault) => warn(fault)),
]
