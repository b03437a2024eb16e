import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** A command line that serves the manifests below {dir}, in the foreground, until SIGTERM; {admin} is a free address and port. */
export type Command = readonly string[]

export const landfall = join(import.meta.dirname, '../cli/landfall')

export const serve: Command = [landfall, 'serve', '-f', '{dir}', '--admin', '{admin}']

/** Milliseconds that a command has to come up, and a condition to come true. */
const patience = 20_000

/** Milliseconds between two looks at what cannot be waited for otherwise. */
const interval = 10

/** Manifests in a directory of their own, and the processes that serve them on a loopback address of their own. */
export class Site {
  /** Of 127.0.0.0/8, nobody else's by all odds. */
  readonly address = [127, randomInt(1, 255), randomInt(255), randomInt(1, 255)].join('.')
  /** For files that are no manifests. */
  readonly directory: string
  readonly manifests: string
  readonly #running: Running[] = []

  private constructor(directory: string) {
    this.directory = directory
    this.manifests = join(directory, 'manifests')
  }

  static async create(): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), 'landfall-serve-')))
    await mkdir(site.manifests)
    return site
  }

  /** Writes a manifest beside and moves it into its place, as careful tools do. */
  async write(name: string, objects: readonly object[]): Promise<void> {
    await this.writeText(`${name}.json`, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  }

  async writeText(file: string, text: string): Promise<void> {
    const draft = join(this.directory, file)
    await writeFile(draft, text)
    await rename(draft, join(this.manifests, file))
  }

  remove(file: string): Promise<void> {
    return rm(join(this.manifests, file))
  }

  /** Starts one process more. Resolves when all of `ports` accept connections and, where the command has it, /readyz says yes. */
  async start(
    ports: readonly number[],
    command: Command = serve,
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Running> {
    const running = this.spawn(command, environment)
    if (command.includes('{admin}')) await running.until(async () => (await running.admin('/readyz')) === 'ready\n')
    for (const port of ports) await running.until(() => this.accepts(port))
    return running
  }

  /** As start(), without a wait. */
  spawn(command: Command = serve, environment: NodeJS.ProcessEnv = {}): Running {
    const admin = `${this.address}:${randomInt(20_000, 32_000)}`
    const argv = command.map((each) => each.replaceAll('{dir}', this.manifests).replaceAll('{admin}', admin))
    const running = new Running(argv, admin, environment)
    this.#running.push(running)
    return running
  }

  /** Whether anybody listens there. */
  accepts(port: number): Promise<boolean> {
    const socket = connect(port, this.address)
    return new Promise((resolve) => {
      socket.once('error', () => resolve(false))
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
    })
  }

  /** An answer over a connection of its own; status 0 where there is none. */
  get(port: number, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return new Promise((resolve) => {
      const asked = get({ host: this.address, port, path, headers, agent: false })
      asked.once('error', () => resolve({ status: 0, location: '' }))
      asked.once('response', (response) => {
        response.resume()
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '' })
      })
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.kill()))
    await rm(this.directory, { recursive: true })
  }
}

/** A process that was started for a test. */
export class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #admin: string
  readonly #exited: Promise<unknown>

  constructor([command = '', ...args]: readonly string[], admin: string, environment: NodeJS.ProcessEnv) {
    this.#admin = admin
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
    this.#exited = once(this.child, 'close')
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Those that it has forked. */
  async children(): Promise<readonly number[]> {
    const list = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8')
    return list.trim().split(' ').filter(Boolean).map(Number)
  }

  /** What the admin address answers; the reason where there is no answer. */
  async admin(path: string): Promise<string> {
    try {
      const response = await fetch(`http://${this.#admin}${path}`, { headers: { connection: 'close' } })
      return await response.text()
    } catch (error) {
      return String(error)
    }
  }

  /** Resolves when `holds`, which is asked again and again. Rejects when the process ends before. */
  async until(holds: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = performance.now() + patience
    while (!(await holds())) {
      if (this.hasEnded) throw new Error(`${this.child.spawnargs.join(' ')} has ended:\n${this.stderr}${this.stdout}`)
      if (performance.now() > deadline) throw new Error(`waited for ${holds}:\n${this.stderr}${this.stdout}`)
      await sleep(interval)
    }
  }

  /** Resolves with the exit code, or the signal that has ended it. */
  async ended(): Promise<number | string | null> {
    await this.#exited
    return this.child.exitCode ?? this.child.signalCode
  }

  /** SIGTERM, and wait. */
  stop(): Promise<number | string | null> {
    this.child.kill('SIGTERM')
    return this.ended()
  }

  /** Ends it, and what it has forked, at once. */
  async kill(): Promise<void> {
    // It may end by itself while it is looked at.
    const forked = await this.children().catch(() => [])
    this.child.kill('SIGKILL')
    for (const pid of forked) process.kill(pid, 'SIGKILL')
    await this.#exited
  }
}

export interface Answer {
  readonly status: number
  /** "" where the answer has none. */
  readonly location: string
}

/** Whether a program is installed that tests use as a client. Throws in CI, which installs them all, and passes over none. */
export function has(program: string): boolean {
  const isInstalled = spawnSync(program, ['--version']).error === undefined
  if (!isInstalled && process.env.CI !== undefined) throw new Error(`${program} is not installed`)
  return isInstalled
}

export interface Output {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where a command runs: this process's directory and environment, but for what is said. */
export interface Surroundings {
  readonly cwd?: string
  /** Variables besides those of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a client to its end, with `input` on its standard input. */
export async function run(
  command: string,
  args: readonly string[],
  input: string | Buffer = '',
  { cwd, env }: Surroundings = {},
): Promise<Output> {
  const child = execFile(command, [...args], {
    cwd,
    env: { ...process.env, ...env },
    maxBuffer: 256 * 1024 * 1024,
    timeout: patience,
  })
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (text) => {
    stdout += text
  })
  child.stderr?.on('data', (text) => {
    stderr += text
  })
  // A client may end before it has read all.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  await once(child, 'close')
  return { code: child.exitCode, stdout, stderr }
}
