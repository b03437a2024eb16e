import { randomInt } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryStore } from '../control/publish/memory.ts'
import { type Dev, type Serving, startDev } from '../dev/dev.ts'

/** An address of 127.0.0.0/8, nobody else's by all odds. */
export const loopback = (): string => [127, randomInt(1, 255), randomInt(255), randomInt(1, 255)].join('.')

/** `landfall dev` in this process, on a loopback address of its own. */
export class DevSite {
  readonly address = loopback()
  readonly logged: string[] = []
  readonly #port: number | undefined
  #directory = ''
  #dev: Dev | undefined
  #served: Serving | undefined
  #waiting: ((serving: Serving) => void) | undefined

  /** Where all Gateways are served, as --port says; each has its own places when unset. */
  constructor(port?: number) {
    this.#port = port
  }

  /** Resolves when these manifests are served, from here on or in place of the last. */
  async serve(objects: readonly object[]): Promise<Serving> {
    if (this.#dev === undefined) {
      this.#directory = await mkdtemp(join(tmpdir(), 'landfall-dev-'))
      await mkdir(this.#manifests)
      await this.#write(objects)
      this.#dev = await startDev({
        paths: [this.#manifests],
        port: this.#port,
        store: new MemoryStore(),
        onReading: (_reading, serving) => {
          this.#served = serving
          this.#waiting?.(serving)
        },
        log: (line) => this.logged.push(line),
      })
      if (this.#served === undefined) throw new Error('nothing is served')
      return this.#served
    }
    const served = new Promise<Serving>((resolve) => {
      this.#waiting = resolve
    })
    await this.#write(objects)
    return served
  }

  get #manifests(): string {
    return join(this.#directory, 'manifests')
  }

  async close(): Promise<void> {
    await this.#dev?.close()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** Beside and moved into its place, as careful tools do: a half-written manifest is another one. */
  async #write(objects: readonly object[]): Promise<void> {
    const draft = join(this.#directory, 'draft.json')
    await writeFile(draft, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    await rename(draft, join(this.#manifests, 'all.json'))
  }
}
