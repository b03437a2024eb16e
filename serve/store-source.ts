import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../control/publish/store.ts'
import type { KeyPair } from '../standalone/feed.ts'
import { SecretFiles } from './secret-files.ts'
import type { Source, Supply } from './source.ts'
import { StoredTablesReader } from './stored-tables.ts'
import type { TableTrust } from './table-trust.ts'

type Take = (supply: Supply) => Promise<void>

/** Published tables, looked at again and again, with the key pairs of Secrets in files: a store has no private keys. */
export class StoreSource implements Source {
  readonly #store: Pick<Store, 'get' | 'list' | 'close'>
  readonly #tables: StoredTablesReader
  readonly #trust: TableTrust | undefined
  readonly #secrets: SecretFiles
  readonly #interval: number
  readonly #failed: (error: unknown) => void
  readonly #stop = new AbortController()
  #looking: Promise<void> | undefined
  /** What was given last: versions and faults, … */
  #given = ''
  /** … and the key pairs. */
  #pairs: ReadonlyMap<string, KeyPair> | undefined
  #lastError = ''

  /** `secrets`: paths of manifests. `interval` in milliseconds. `failed` hears of looks at the store that failed.
   *  Tables of every controller are taken unless one is given, and signed or not unless `trust` is. */
  constructor(
    store: Pick<Store, 'get' | 'list' | 'close'>,
    secrets: readonly string[],
    interval: number,
    failed: (error: unknown) => void,
    { controller, trust }: { readonly controller?: string; readonly trust?: TableTrust | undefined } = {},
  ) {
    this.#store = store
    this.#tables = new StoredTablesReader(store, { controller, trusted: trust?.roots })
    this.#trust = trust
    this.#secrets = new SecretFiles(secrets)
    this.#interval = interval
    this.#failed = failed
  }

  async follow(take: Take): Promise<void> {
    await this.#look(take)
    this.#looking = this.#lookOn(take)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#looking
    await this.#store.close()
  }

  async #lookOn(take: Take): Promise<void> {
    while (await this.#isOpenAfterAWhile()) {
      try {
        await this.#look(take)
        this.#lastError = ''
      } catch (error) {
        this.#tell(error)
      }
    }
  }

  #isOpenAfterAWhile(): Promise<boolean> {
    return sleep(this.#interval, true, { signal: this.#stop.signal }).catch(() => false)
  }

  /** A store that is away for a day is told once. */
  #tell(error: unknown): void {
    const text = String(error)
    if (text !== this.#lastError) this.#failed(error)
    this.#lastError = text
  }

  async #look(take: Take): Promise<void> {
    const { roots, shards, versions, faults } = await this.#tables.read()
    const secrets = await this.#secrets.read()
    const all = [...faults, ...secrets.faults, ...((await this.#trust?.remember()) ?? [])]
    const given = [...versions, ...all].join('\n')
    if (given === this.#given && secrets.pairs === this.#pairs) return
    await take({ feed: { roots, shards, keyPairs: secrets.pairs }, faults: all, reading: undefined })
    this.#given = given
    this.#pairs = secrets.pairs
  }
}
