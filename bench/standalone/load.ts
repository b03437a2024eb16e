import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { cores, Pinned } from './process.ts'
import { ports, type Site, streamHost } from './site.ts'

/** Load on a contender, as commands that run side by side for about a second. */
export interface Load {
  readonly commands: readonly (readonly string[])[]
  /** What one of them did, from what it printed. */
  read(output: string): Counted
}

export interface Counted {
  /** Requests, handshakes or megabytes, whatever the scenario is about. */
  readonly requests: number
  readonly errors: number
  /** undefined where the command does not say it well. */
  readonly seconds?: number
}

/** Milliseconds that a load of a second may take. */
const patience = 20_000

/** How much of it there was. Throws when any of it failed. */
export async function run({ commands, read }: Load): Promise<{ readonly requests: number; readonly seconds: number }> {
  const since = performance.now()
  const outputs = await Promise.all(
    commands.map((command) => new Pinned(command[0] ?? '', cores.load, command).finished(patience)),
  )
  const wall = (performance.now() - since) / 1000
  const all = outputs.map(read)
  const total = (of: (counted: Counted) => number): number => all.reduce((sum, counted) => sum + of(counted), 0)
  const requests = total(({ requests }) => requests)
  const errors = total(({ errors }) => errors)
  if (errors > 0 || requests === 0) throw new Error(`${requests} good and ${errors} bad answers`)
  return { requests, seconds: all[0]?.seconds ?? wall }
}

/** HTTP/1.1 in the clear by wrk: whole requests, which its connections send in turn. */
export async function wrk({ address, directory }: Site, name: string, requests: readonly string[]): Promise<Load> {
  const file = join(directory, `${name}.requests`)
  await writeFile(file, requests.join('\0'))
  const script = join(import.meta.dirname, 'wrk.lua')
  const url = `http://${address}:${ports.http}`
  return {
    commands: [['wrk', '-t1', '-c32', '-d1s', '-s', script, url, '--', file]],
    read: (output) => JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? '{}'),
  }
}

/** HTTP over TLS by h2load, for one hostname; `paths` in turn. */
export function h2load(
  { address }: Site,
  hostname: string,
  paths: readonly string[],
  options: readonly string[],
): Load {
  const urls = paths.map((path) => `https://${hostname}${path}`)
  const to = `--connect-to=${address}:${ports.https}`
  return {
    commands: [['h2load', '-t1', '-D', '1s', to, ...options, ...urls]],
    read: (output) => {
      const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? Number.NaN)
      return {
        requests: count('succeeded'),
        errors: count('failed') + count('errored') + count('timeout') + count('4xx') + count('5xx'),
        seconds: Number(/finished in ([\d.]+)s/.exec(output)?.[1]),
      }
    },
  }
}

/** Full TLS handshakes and nothing more, by clients that make one after the other. */
export const handshakes = ({ address }: Site): Load => ({
  commands: Array.from({ length: 4 }, () => [
    ...['openssl', 's_time', '-new', '-time', '1', '-connect', `${address}:${ports.https}`],
    // Otherwise each reads the system's authorities first.
    ...['-no-CAfile', '-no-CApath', '-no-CAstore'],
  ]),
  read: (output) => ({ requests: Number(/(\d+) connections in \d+ real seconds/.exec(output)?.[1]), errors: 0 }),
})

/** Megabytes through TLS passthrough. */
export const passthrough = ({ address }: Site): Load => ({
  commands: [
    [
      process.execPath,
      join(import.meta.dirname, 'stream.ts'),
      'load',
      `${address}:${ports.passthrough}`,
      streamHost,
      '4',
      '1000',
    ],
  ],
  read: (output) => JSON.parse(output),
})
