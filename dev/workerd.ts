import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { type WorkerdSetup, workerdConfig } from './workerd-config.ts'

/** Milliseconds that requests in flight get when workerd is told to stop. */
const drain = 2_000
/** Milliseconds before workerd is started again after it died by itself; doubled up to the second figure. */
const restartAfter = [50, 2_000] as const

const require = createRequire(import.meta.url)
const binary = require('workerd').default as string
const schemas = dirname(dirname(require.resolve('workerd/workerd.capnp')))

/** Keeps one workerd running. It has as many sockets as the setup names; a new setup is a new process. */
export class Workerd {
  readonly #directory: string
  readonly #log: (line: string) => void
  #child: ChildProcess | undefined
  #setup: WorkerdSetup | undefined
  #wait: number = restartAfter[0]
  #closed = false

  /** `directory` has the bundle as worker.js. */
  constructor(directory: string, log: (line: string) => void) {
    this.#directory = directory
    this.#log = log
  }

  /** Resolves when every socket listens. Rejects with workerd's own words when it does not come up. */
  async serve(setup: WorkerdSetup): Promise<void> {
    this.#setup = setup
    await this.#stop()
    await this.#start()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#stop()
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async #start(): Promise<void> {
    if (this.#setup === undefined) return
    const { sockets } = this.#setup
    const file = join(this.#directory, 'config.capnp')
    await writeFile(file, workerdConfig(this.#setup), { mode: 0o600 })
    const child = spawn(binary, ['serve', '--control-fd=3', '--import-path', schemas, file], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    let lastWords = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        lastWords = (lastWords + chunk).slice(-2000)
        for (const line of chunk.split('\n')) if (line !== '') this.#log(line)
      })
    }
    child.once('exit', () => this.#exited(child))
    await Promise.race([
      listening(child, sockets.length),
      once(child, 'exit').then(() => {
        throw new Error(`workerd did not start: ${lastWords.trim()}`)
      }),
    ])
  }

  #exited(child: ChildProcess): void {
    if (this.#closed || this.#child !== child) return
    this.#child = undefined
    this.#log(`workerd ended (${child.signalCode ?? child.exitCode}); starting it again`)
    setTimeout(() => {
      if (this.#closed || this.#child !== undefined) return
      const since = Date.now()
      this.#start().then(
        () => this.#child?.once('exit', () => this.#backOff(Date.now() - since)),
        (error: unknown) => this.#log(String(error)),
      )
    }, this.#wait)
  }

  #backOff(lived: number): void {
    this.#wait = lived > 10_000 ? restartAfter[0] : Math.min(this.#wait * 2, restartAfter[1])
  }

  async #stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), drain)
    await exited
    clearTimeout(timer)
  }
}

/** workerd writes a line of JSON to its control descriptor for every socket that it listens on. */
async function listening(child: ChildProcess, sockets: number): Promise<void> {
  const control = child.stdio[3] as Readable
  let lines = 0
  for await (const chunk of control.setEncoding('utf8')) {
    for (const char of chunk as string) if (char === '\n') lines++
    if (lines >= sockets) break
  }
}
