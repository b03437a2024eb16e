import { spawnSync } from 'node:child_process'
import type { ScenarioName } from './scenarios.ts'
import type { Site } from './site.ts'

/** A data plane that takes part. */
export interface Contender {
  readonly name: string
  /** Writes its configuration into site.directory and returns the command that serves it in the foreground. */
  prepare(site: Site): Promise<readonly string[]>
  /** Why it takes no part in a scenario; undefined when it does. */
  cannot(scenario: ScenarioName): string | undefined
}

/** What a command says that prints its version; undefined where there is no such command. */
export function versionOf(command: string, ...args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return error === undefined ? /\d+\.\d+[\w.~+-]*/.exec(`${stdout}${stderr}`)?.[0] : undefined
}
