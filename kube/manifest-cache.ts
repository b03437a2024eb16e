import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { readText } from './file-text.ts'
import { faultyFile, type ManifestFile, mayBeHalfWritten, parseFile, pendingFile } from './manifest-file.ts'
import { stdinPath, whyUnreadable } from './manifest-files.ts'

/** Milliseconds in which a file may change twice without a later time of change. */
const clockTick = 50

/** Milliseconds for which a version that may be half-written has to last before it counts. */
export const grace = 50

export interface CacheOptions {
  /** What the path "-" reads, once. */
  readonly stdin: () => AsyncIterable<Uint8Array>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** A file as it was seen the last time. */
interface Seen {
  /** undefined when it is not there. */
  readonly version: ManifestFile | undefined
  /** Of a version without a fault. */
  readonly text?: string
  /** Changes when the file does; undefined when it might not. */
  readonly signature?: string | undefined
}

interface Cached extends Seen {
  /** What counts: `version`, unless that is in doubt. */
  readonly file: ManifestFile
  readonly doubt: Doubt | undefined
}

interface Doubt {
  readonly since: number
  /** What counted before. */
  readonly before: ManifestFile | undefined
}

/** Files by path, read again only when they may have changed. A version that may be half-written counts when it has lasted. */
export class ManifestCache {
  readonly #options: CacheOptions
  readonly #cached = new Map<string, Cached>()
  readonly #unsettled = new Set<string>()

  constructor(options: CacheOptions) {
    this.#options = options
  }

  /** What counts of a file. */
  file(path: string): ManifestFile | undefined {
    return this.#cached.get(path)?.file
  }

  paths(): Iterable<string> {
    return this.#cached.keys()
  }

  /** Paths of files that may have changed without a sign of it, or are in doubt. */
  get unsettled(): Iterable<string> {
    return this.#unsettled
  }

  /** Looks at a file; there is no doubt about one that `isTrusted`. */
  async refresh(path: string, isTrusted: boolean): Promise<void> {
    const before = this.#cached.get(path)
    const seen = await this.#look(path, before)
    this.#keep(path, isTrusted ? certain(seen) : this.#judge(path, seen, before))
  }

  /** A file is not there any more. */
  lose(path: string): void {
    this.#keep(path, this.#judge(path, { version: undefined }, this.#cached.get(path)))
  }

  #keep(path: string, cached: Cached | undefined): void {
    if (cached === undefined) this.#cached.delete(path)
    else this.#cached.set(path, cached)
    if (cached === undefined || cached.signature !== undefined || path === stdinPath) this.#unsettled.delete(path)
    else this.#unsettled.add(path)
  }

  #judge(path: string, seen: Seen, before: Cached | undefined): Cached | undefined {
    const now = this.#options.now()
    if (before !== undefined && seen.version === before.version) {
      const { file, doubt } = before
      if (doubt === undefined) return { ...seen, file, doubt }
      return now - doubt.since < grace ? before : certain(seen)
    }
    const last = before?.doubt === undefined ? before?.file : before.doubt.before
    const isDoubtful = seen.version === undefined ? last !== undefined : mayBeHalfWritten(seen.version, last)
    if (!isDoubtful) return certain(seen)
    const file = before?.doubt === undefined ? pendingFile(path) : before.file
    return { ...seen, signature: undefined, file, doubt: { since: now, before: last } }
  }

  async #look(path: string, before: Cached | undefined): Promise<Seen> {
    const { stdin, now } = this.#options
    try {
      // A pipe gives what it has only once.
      if (path === stdinPath) return before ?? (await seenFile('stdin', stdin()))
      const began = now()
      const status = await stat(path, { bigint: true })
      if (status.isDirectory()) return { version: undefined }
      if (!status.isFile()) return before ?? (await seenFile(path, createReadStream(path)))
      const isSettled = Number(status.mtimeMs) < began - clockTick
      const signature = isSettled ? [status.ino, status.size, status.mtimeNs, status.ctimeNs].join(' ') : undefined
      if (before !== undefined && signature !== undefined && signature === before.signature) return before
      return { ...(await seenFile(path, createReadStream(path), before, Number(status.size))), signature }
    } catch (error) {
      return isMissing(error) ? { version: undefined } : { version: faultyVersion(path, whyUnreadable(error), before) }
    }
  }
}

const certain = (seen: Seen): Cached | undefined =>
  seen.version === undefined ? undefined : { ...seen, file: seen.version, doubt: undefined }

/** The very same version as before when the text is the same. */
async function seenFile(
  name: string,
  stream: AsyncIterable<Uint8Array>,
  before?: Cached,
  size?: number,
): Promise<Pick<Seen, 'version' | 'text'>> {
  const read = await readText(stream, size)
  if ('message' in read) return { version: faultyVersion(name, read.message, before, read.line) }
  if (before?.version !== undefined && before.text === read.text) return { version: before.version, text: read.text }
  const earlier = [before?.version, before?.doubt?.before].filter((version) => version !== undefined)
  return { version: parseFile(name, read, earlier), text: read.text }
}

/** The version that was as faulty the last time, so that nothing seems to have changed. */
function faultyVersion(name: string, message: string, before: Cached | undefined, line = 1): ManifestFile {
  const fault = before?.version?.fault
  const isSame = before?.version !== undefined && fault?.message === message && fault.line === line
  return isSame ? before.version : faultyFile(name, message, line)
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
