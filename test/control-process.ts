import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DirectoryStore } from '../control/publish/directory.ts'
import { shardsOf, storedEntries, storedRoots } from '../control/publish/stored.ts'
import { landfall, type Output, run, type Surroundings } from './serve-rig.ts'

/** `landfall control` as a process of its own, with its data and its store below a directory. */
export class ControlProcess {
  readonly #directory: string
  readonly #options: readonly string[]
  readonly token: string
  #child: ChildProcess | undefined
  url = ''
  /** What it has written to its standard error, all processes together. */
  logged = ''

  /** `options`: more of the command line. */
  constructor(directory: string, options: readonly string[] = []) {
    this.#directory = directory
    this.#options = options
    const create = ['control', 'token', 'create', 'test', '--set', '*', '--data', this.data, '--verb']
    this.token = execFileSync(landfall, [...create, 'read', 'plan', 'push', 'rollback', 'audit'], { stdio: 'pipe' })
      .toString()
      .trim()
  }

  get data(): string {
    return `${this.#directory}/data`
  }

  get store(): string {
    return `${this.#directory}/store`
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const args = [
      'control',
      '--data',
      this.data,
      '--to',
      `dir:${this.store}`,
      '--listen',
      '127.0.0.1:0',
      ...this.#options,
    ]
    const child = spawn(landfall, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.logged += text
    })
    let printed = ''
    child.stdout.setEncoding('utf8')
    for await (const text of child.stdout) {
      printed += text
      const url = /listens on (http:\S+)\n/.exec(printed)?.[1]
      if (url === undefined) continue
      this.url = url
      return
    }
    throw new Error(`landfall control did not start: ${this.logged}`)
  }

  /** The exit code, or the signal. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode ?? child.signalCode
  }

  /** A command of a client that has the token. */
  run(args: readonly string[], { cwd = this.#directory, env }: Surroundings = {}): Promise<Output> {
    return run(landfall, args, '', {
      cwd,
      env: { LANDFALL_CONTROL_URL: this.url, LANDFALL_CONTROL_TOKEN: this.token, ...env },
    })
  }

  /** Version and shards of a Gateway's table in the store, byte for byte; "" while there is none. */
  async table(gateway: string): Promise<string> {
    const store = new DirectoryStore(this.store)
    const root = (await storedRoots(store)).get(`gateway/${gateway}`)
    if (root === undefined) return ''
    const shards = await storedEntries(store, shardsOf(root))
    const bytes = [...shards].toSorted().map(([name, each]) => `${name} ${Buffer.from(each).toString('hex')}`)
    return [JSON.stringify({ ...root, retired: [] }), ...bytes].join('\n')
  }

  ask(path: string, method = 'GET', body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const all = { authorization: `Bearer ${this.token}`, 'content-type': 'application/yaml', ...headers }
    return fetch(`${this.url}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) })
  }
}
