import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import process from 'node:process'
import { type FileText, readText } from './file-text.ts'
import { assemble, type Held, type Loaded, type ManifestFile } from './loaded.ts'
import { findFiles, stdinPath, whyUnreadable } from './manifest-files.ts'
import { type ParsedDocument, parseDocument } from './parsed-document.ts'
import { splitDocuments } from './yaml/split.ts'

/** Files that are read at the same time. */
const concurrency = 16
/** Documents of a file. */
const maxDocuments = 200_000
/** Milliseconds in which a file may change twice without a later time of change. */
const clockTick = 50

/** Reads one file's text. Throws nothing: all that is wrong becomes a problem. */
export const parseManifests = (file: string, text: string): Loaded =>
  assemble([toFile(file, { text }, undefined)], new Map()).loaded

export interface ReaderOptions {
  /** What the path "-" reads, once. */
  readonly stdin?: () => AsyncIterable<Uint8Array>
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Reads files, directories with all below them, and "-", the standard input. Throws nothing, as parseManifests. */
export const readManifests = (paths: readonly string[], options: ReaderOptions = {}): Promise<Loaded> =>
  new ManifestReader(paths, options).read()

/** Documents that `before` has, with the same text, are not parsed again. */
function toFile(name: string, read: FileText, before: ManifestFile | undefined): ManifestFile {
  if ('message' in read) return { name, documents: [], fault: read }
  const sources = splitDocuments(read.text)
  if (sources.length > maxDocuments) {
    const message = `holds ${sources.length} documents; at most ${maxDocuments} are read, so split it into several files`
    return { name, documents: [], fault: { message, line: 1 } }
  }
  const known = new Map(before?.documents.map(({ text, parsed }): [string, ParsedDocument] => [text, parsed]))
  const documents = sources.map(({ text, line }) => ({
    text,
    line,
    parsed: known.get(text) ?? parseDocument(text),
  }))
  return { name, documents, fault: undefined }
}

interface CachedFile {
  readonly file: ManifestFile
  readonly text: string | undefined
  /** Changes when the file does; undefined when it might not. */
  readonly signature: string | undefined
}

/**
 * Reads the same paths again and again. What has not changed is not parsed again, and stays the very same object; an
 * object that is not valid any more stays as it last was, with the problem beside it.
 */
export class ManifestReader {
  readonly #paths: readonly string[]
  readonly #stdin: () => AsyncIterable<Uint8Array>
  readonly #now: () => number
  /** By path. */
  #cache = new Map<string, CachedFile>()
  #files: readonly ManifestFile[] = []
  /** `#files` by name. */
  #named: ReadonlyMap<string, ManifestFile> = new Map()
  #result: { readonly loaded: Loaded; readonly held: Held } = assemble([], new Map())
  #reading: Promise<unknown> = Promise.resolve()

  constructor(paths: readonly string[], { stdin = () => process.stdin, now = Date.now }: ReaderOptions = {}) {
    this.#paths = paths
    this.#stdin = stdin
    this.#now = now
  }

  /** The very same result as before when no file has changed. Calls wait for each other. `changed` are the paths of those files
   *  that have, as this reader finds them, where somebody knows that no others have and that none came or went. */
  read(changed?: ReadonlySet<string>): Promise<Loaded> {
    const next = this.#reading.then(() => this.#read(changed))
    this.#reading = next.catch(() => undefined)
    return next
  }

  async #read(changed: ReadonlySet<string> | undefined): Promise<Loaded> {
    const known = changed !== undefined && [...changed].every((path) => this.#cache.has(path))
    const files = known ? await this.#refreshSome(changed) : await this.#refreshAll()
    if (files.length !== this.#files.length || files.some((file, index) => file !== this.#files[index])) {
      this.#files = files
      this.#named = new Map(files.map((file) => [file.name, file]))
      this.#result = assemble(files, this.#result.held)
    }
    return this.#result.loaded
  }

  async #refreshAll(): Promise<readonly ManifestFile[]> {
    const { files: paths, faults } = await findFiles(this.#paths)
    const entries = await mapSome(paths, async (path) => [path, await this.#refresh(path)] as const)
    this.#cache = new Map(entries)
    return [...entries.map(([, { file }]) => file), ...faults.map(({ file, message }) => this.#faulty(file, message))]
  }

  /** Those, and the files that may have changed within one tick of the clock. */
  async #refreshSome(changed: ReadonlySet<string>): Promise<readonly ManifestFile[]> {
    const unsettled = [...this.#cache].flatMap(([path, { signature }]) => (signature === undefined ? [path] : []))
    const news = new Map<ManifestFile, ManifestFile>()
    await mapSome([...new Set([...changed, ...unsettled])], async (path) => {
      const before = this.#cache.get(path)
      const after = await this.#refresh(path)
      this.#cache.set(path, after)
      if (before !== undefined) news.set(before.file, after.file)
    })
    return this.#files.map((file) => news.get(file) ?? file)
  }

  async #refresh(path: string): Promise<CachedFile> {
    const before = this.#cache.get(path)
    try {
      // A pipe gives what it has only once.
      if (path === stdinPath) return before ?? (await this.#parse('stdin', this.#stdin(), undefined))
      const now = this.#now()
      const status = await stat(path, { bigint: true })
      if (!status.isFile()) return before ?? (await this.#parse(path, createReadStream(path), undefined))
      const settled = Number(status.mtimeMs) < now - clockTick
      const signature = settled ? [status.ino, status.size, status.mtimeNs, status.ctimeNs].join(' ') : undefined
      if (before !== undefined && signature !== undefined && signature === before.signature) return before
      return { ...(await this.#parse(path, createReadStream(path), before, Number(status.size))), signature }
    } catch (error) {
      return { file: this.#faulty(path, whyUnreadable(error)), text: undefined, signature: undefined }
    }
  }

  async #parse(
    name: string,
    stream: AsyncIterable<Uint8Array>,
    before?: CachedFile,
    size?: number,
  ): Promise<CachedFile> {
    const read = await readText(stream, size)
    if ('message' in read) {
      return { file: this.#faulty(name, read.message, read.line), text: undefined, signature: undefined }
    }
    if (before !== undefined && before.text === read.text) return before
    return { file: toFile(name, read, before?.file), text: read.text, signature: undefined }
  }

  /** The file that was as faulty the last time, so that nothing seems to have changed. */
  #faulty(name: string, message: string, line = 1): ManifestFile {
    const last = this.#named.get(name)
    const same = last?.fault?.message === message && last.fault.line === line
    return same ? last : { name, documents: [], fault: { message, line } }
  }
}

async function mapSome<Item, Result>(items: readonly Item[], map: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += concurrency) {
    results.push(...(await Promise.all(items.slice(start, start + concurrency).map(map))))
  }
  return results
}
