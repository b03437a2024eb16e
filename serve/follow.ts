import { grace } from '../kube/manifest-cache.ts'
import { ManifestWatch } from './manifest-watch.ts'

/** Milliseconds without news before something is done about the last, where there was more before it. */
const settle = 2
/** Milliseconds that news wait at most, however much more comes. */
const patience = 30
/** Milliseconds after which what has changed is looked at once more: what was half-written then has had its grace. */
const recheck = grace + 5

export interface Following {
  /** Resolves when what is being done about a change is done. */
  close(): Promise<void>
}

/** Calls `apply` at once and after changes below `paths`, never twice at a time. `changed` as in ManifestReader.read. Rejects
 *  when the first call does; what later ones throw goes to `failed`. */
export async function follow(
  paths: readonly string[],
  apply: (changed?: ReadonlySet<string>) => Promise<void>,
  failed: (error: unknown) => void,
): Promise<Following> {
  const follower = new Follower(paths, apply, failed)
  await follower.start()
  return follower
}

class Follower implements Following {
  readonly #watch: ManifestWatch
  readonly #apply: (changed?: ReadonlySet<string>) => Promise<void>
  readonly #failed: (error: unknown) => void
  /** Paths that something has happened to. */
  #news = new Set<string>()
  /** Paths that are to be looked at once more, and whether more than files may be found there. */
  #recent = new Set<string>()
  #isRecentPlace = false
  /** When there was the last news, on the clock of performance.now(). */
  #heardAt = Number.NEGATIVE_INFINITY
  #settling: NodeJS.Timeout | undefined
  #waiting: NodeJS.Timeout | undefined
  #rechecking: NodeJS.Timeout | undefined
  #acting = Promise.resolve()
  #isClosed = false

  constructor(
    paths: readonly string[],
    apply: (changed?: ReadonlySet<string>) => Promise<void>,
    failed: (error: unknown) => void,
  ) {
    this.#watch = new ManifestWatch(paths, (path) => this.#hear(path), failed)
    this.#apply = apply
    this.#failed = failed
  }

  async start(): Promise<void> {
    await this.#watch.renew()
    const first = this.#look()
    this.#acting = first.catch(() => undefined)
    try {
      await first
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watch.close()
    clearTimeout(this.#rechecking)
    this.#stopWaiting()
    await this.#acting
  }

  #hear(path: string): void {
    const isFirst = performance.now() - this.#heardAt > patience
    this.#heardAt = performance.now()
    this.#news.add(path)
    // What comes after a rest has seldom more behind it than the system tells at once.
    if (isFirst) {
      setImmediate(() => this.#act())
      return
    }
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.#act(), settle)
    this.#waiting ??= setTimeout(() => this.#act(), patience)
  }

  #stopWaiting(): void {
    clearTimeout(this.#settling)
    clearTimeout(this.#waiting)
    this.#waiting = undefined
  }

  #act(): void {
    this.#stopWaiting()
    this.#queue(async () => {
      const news = [...this.#news]
      this.#news.clear()
      const kinds = await Promise.all(news.map((path) => this.#watch.whatIsAt(path)))
      const changed = new Set(news.filter((_, index) => kinds[index] !== undefined))
      if (changed.size === 0) return
      for (const path of changed) this.#recent.add(path)
      if (kinds.includes('place')) {
        this.#isRecentPlace = true
        // Before it is read, so that nothing that happens in a new directory is missed.
        await this.#watch.renew()
      }
      await this.#look(changed)
    })
  }

  async #look(changed?: ReadonlySet<string>): Promise<void> {
    try {
      await this.#apply(changed)
    } finally {
      clearTimeout(this.#rechecking)
      if (!this.#isClosed) this.#rechecking = setTimeout(() => this.#recheck(), recheck)
    }
  }

  #recheck(): void {
    this.#queue(async () => {
      const recent = this.#recent
      const isPlace = this.#isRecentPlace
      this.#recent = new Set()
      this.#isRecentPlace = false
      await this.#apply(recent)
      // A directory in a new one may have come before the new one was watched.
      const places = isPlace ? await this.#watch.renew() : []
      if (places.length > 0) await this.#look(new Set(places))
    })
  }

  #queue(act: () => Promise<void>): void {
    this.#acting = this.#acting.then(() => (this.#isClosed ? undefined : act())).catch(this.#failed)
  }
}
