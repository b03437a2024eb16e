import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import process from 'node:process'

/** Clock ticks a second of /proc/PID/stat: USER_HZ, the same on all Linux. proc_pid_stat(5). */
const ticks = 100

/** The core of the contenders, and those of the load and of the origin: apart where the machine has three. */
export const cores = { contender: 0, load: 1, origin: availableParallelism() > 2 ? 2 : 1 } as const

/** Milliseconds between SIGTERM and SIGKILL. */
const patience = 5_000

/** A process that runs on one core, with all that it starts. */
export class Pinned {
  readonly name: string
  readonly #child: ChildProcess
  #output = ''

  constructor(name: string, core: number, [command = '', ...args]: readonly string[], options: SpawnOptions = {}) {
    this.name = name
    this.#child = spawn('taskset', ['-c', String(core), command, ...args], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this.#child)
    this.#child.once('exit', () => running.delete(this.#child))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#output = (this.#output + chunk).slice(-4_000)
      })
    }
    this.#child.once('error', (error) => {
      this.#output += error.message
    })
  }

  /** The last line of what it wrote that speaks of an error, or else the last. */
  get lastWords(): string {
    const lines = this.#output.trim().split('\n')
    return lines.findLast((line) => /error|emerg|alert|fatal/i.test(line)) ?? lines.at(-1) ?? ''
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get ended(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** CPU time so far of the process and of all below it, in seconds. */
  cpu(): Promise<number> {
    return cpuOfTree(this.#child.pid ?? 0)
  }

  /** Resolves with what it wrote when it ends by itself; it is given `milliseconds`. */
  async finished(milliseconds: number): Promise<string> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), milliseconds)
    if (!this.ended) await once(this.#child, 'close')
    clearTimeout(timer)
    if (this.#child.signalCode !== null) throw new Error(`${this.name} took more than ${milliseconds / 1000} s`)
    if (this.#child.exitCode !== 0) throw new Error(`${this.name} failed: ${this.lastWords}`)
    return this.#output
  }

  async stop(): Promise<void> {
    if (this.ended) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patience)
    await exited
    clearTimeout(timer)
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** Moves this process, which has little to do, out of the contenders' way. */
export function stepAside(): void {
  const { error, stderr } = spawnSync('taskset', ['-a', '-cp', String(cores.load), String(process.pid)], {
    encoding: 'utf8',
  })
  if (error !== undefined) throw new Error(`taskset (of util-linux) is needed: ${error.message}`)
  if (stderr !== '') throw new Error(`taskset: ${stderr}`)
}

/** User and system time of a process and its descendants, those that have ended included, in seconds. */
async function cpuOfTree(root: number): Promise<number> {
  const children = new Map<number, number[]>()
  const spent = new Map<number, number>()
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      // The name before may have spaces and brackets of its own. Fields 4 and 14 to 17: ppid, utime, stime, cutime, cstime.
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number)
      const parent = fields[1] ?? 0
      children.set(parent, [...(children.get(parent) ?? []), pid])
      spent.set(
        pid,
        fields.slice(11, 15).reduce((sum, value) => sum + value, 0),
      )
    }),
  )
  const below = (pid: number): number =>
    (spent.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((sum, child) => sum + below(child), 0)
  return below(root) / ticks
}
