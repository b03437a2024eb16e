import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type WorkerdSetup, workerdConfig } from './workerd-config.ts'

/** Milliseconds that requests under way get when workerd is told to stop. */
const usualGrace = 2_000
/** Milliseconds before workerd is started again after it died by itself; doubled up to the second figure. */
const restartAfter = [50, 2_000] as const

/** Path of the program, as its package says. */
const binary: string = createRequire(import.meta.url)('workerd').default

/** Keeps one workerd running. It has as many sockets as the setup names; a new setup is a new process. */
export class Workerd {
  readonly #directory: string
  readonly #log: (line: string) => void
  #child: ChildProcess | undefined
  #died = (): void => {}
  #restart: NodeJS.Timeout | undefined
  #wait: number = restartAfter[0]

  /** `directory` has the bundle as worker.js. */
  constructor(directory: string, log: (line: string) => void) {
    this.#directory = directory
    this.#log = log
  }

  /** Resolves when every socket listens. Rejects with workerd's own words when it does not come up. */
  async serve(setup: WorkerdSetup): Promise<void> {
    await this.close()
    this.#child = await start(this.#directory, setup, this.#log)
    this.#died = () => this.#startAgain(setup)
    this.#child.once('exit', this.#died)
  }

  /** Requests under way get `grace` milliseconds; a second call can make it less. */
  async close(grace = usualGrace): Promise<void> {
    clearTimeout(this.#restart)
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    child.off('exit', this.#died)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), grace)
    await exited
    clearTimeout(timer)
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  #startAgain(setup: WorkerdSetup): void {
    this.#log(`workerd ended; starting it again in ${this.#wait} ms`)
    this.#child = undefined
    this.#restart = setTimeout(() => {
      this.serve(setup).then(
        () => {
          this.#wait = restartAfter[0]
        },
        (error: unknown) => {
          this.#log(String(error))
          this.#startAgain(setup)
        },
      )
    }, this.#wait)
    this.#wait = Math.min(this.#wait * 2, restartAfter[1])
  }
}

/** workerd does not outlive this process where the system can see to that, however this process ends. */
const setpriv = '/usr/bin/setpriv'
const leashed = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'TERM', '--', binary] : [binary]

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function start(directory: string, setup: WorkerdSetup, log: (line: string) => void): Promise<ChildProcess> {
  const file = join(directory, 'config.capnp')
  await writeFile(file, workerdConfig(setup), { mode: 0o600 })
  // A socket file that a killed workerd left behind keeps the next one from listening.
  for (const { address } of setup.sockets) if (address.startsWith('unix:')) await rm(address.slice(5), { force: true })
  const [program = binary, ...leash] = leashed
  const child = spawn(program, [...leash, 'serve', '--control-fd=3', file], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let lastWords = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      lastWords = (lastWords + chunk).slice(-2000)
      for (const line of chunk.split('\n')) if (line !== '') log(line)
    })
  }
  const ended = new AbortController()
  await Promise.race([
    listening(child, setup.sockets.length).then(() => ended.abort()),
    once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error(`workerd did not start: ${lastWords.trim()}`)
    }),
  ])
  return child
}

/** workerd writes a line of JSON to its control descriptor for every socket that it listens on. */
async function listening(child: ChildProcess, sockets: number): Promise<void> {
  const control = child.stdio[3] as Readable
  let lines = 0
  for await (const chunk of control) {
    lines += String(chunk).split('\n').length - 1
    if (lines >= sockets) break
  }
}
