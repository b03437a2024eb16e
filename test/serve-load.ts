import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Endpoint } from '../proto/gen/route_table.ts'

/** What a client says of its requests. */
export interface Tally {
  readonly client: string
  readonly requests: number
  readonly failures: number
  readonly output: string
}

/** A client of somebody else's under way. */
export class Load {
  readonly name: string
  /** Resolves when it has had its time. */
  readonly tally: Promise<Tally>
  readonly #child: ChildProcess

  constructor(
    name: string,
    [command = '', ...args]: readonly string[],
    read: (output: string) => readonly [number, number],
  ) {
    this.name = name
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    this.tally = once(child, 'close').then(() => {
      const [requests, failures] = read(output)
      return { client: name, requests, failures: child.exitCode === 0 ? failures : Number.NaN, output }
    })
  }

  /** wrk ends early, and says how it went; h2load goes on to its end. */
  stop(): void {
    if (this.name === 'wrk') this.#child.kill('SIGINT')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

export interface Target {
  readonly address: string
  readonly port: number
  readonly host: string
  readonly scheme: 'http' | 'https'
}

/** Requests by HTTP/1.1, each connection one after the other. */
export function wrk(
  { scheme, address, port, host }: Target,
  seconds: number,
  connections: number,
  more: readonly string[] = [],
) {
  // Its own two seconds say more of a busy machine than of who answers.
  const patience = ['--timeout', '10s']
  const command = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, ...patience, '-H', `Host: ${host}`, ...more]
  return new Load('wrk', [...command, `${scheme}://${address}:${port}/wrk`], (output) => {
    const count = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0)
    const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? []
    const broken = sockets.reduce((sum, each) => sum + Number(each), 0)
    return [count(/(\d+) requests in/), broken + count(/Non-2xx or 3xx responses: (\d+)/)]
  })
}

/** Requests by HTTP/2, each connection `streams` at once. */
export function h2load({ scheme, address, port, host }: Target, seconds: number, connections: number, streams: number) {
  const to = `--connect-to=${address}:${port}`
  const command = ['h2load', '-t1', `-c${connections}`, `-m${streams}`, `-D${seconds}`, to]
  return new Load('h2load', [...command, `${scheme}://${host}:${port}/h2load`], (output) => {
    const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? Number.NaN)
    return [count('done'), count('failed') + count('errored') + count('timeout') + count('4xx') + count('5xx')]
  })
}

/** An origin that really stops and starts. */
export class LoadOrigin {
  readonly endpoint: Endpoint
  #child: ChildProcess | undefined

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { address, port } = this.endpoint
    this.#child = fork(join(import.meta.dirname, 'serve-load-origin.ts'), [address, `${port}`])
    await once(this.#child, 'message')
  }

  /** Resolves when it has answered what it had, and is gone. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    child.kill(signal)
    await once(child, 'exit')
  }
}
