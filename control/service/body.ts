import { type ParsedTarFileItem, parseTar } from 'nanotar'
import { type FileText, readText } from '../../kube/file-text.ts'
import type { Limits } from './limits.ts'
import { Refusal } from './refusal.ts'
import type { SetFile } from './workspace.ts'

/** Characters of a file's name. */
const maxName = 512

/** The media types that manifests come in, each with the name of the one file that it makes; none for a tar. */
export const manifestTypes: Readonly<Record<string, string | undefined>> = {
  'application/yaml': 'manifests.yaml',
  'application/json': 'manifests.json',
  'application/x-tar': undefined,
}

/** The files of a request's body: one of YAML or JSON, or a tar of several; the whole may be compressed by gzip. */
export async function filesOf(request: Request, limits: Limits): Promise<readonly SetFile[]> {
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!Object.hasOwn(manifestTypes, type)) {
    const detail = `a body of type ${JSON.stringify(type)} is not read; send ${Object.keys(manifestTypes).join(', ')}`
    throw new Refusal(415, 'unsupported-type', detail)
  }
  const bytes = await bytesOf(request, limits.bodyBytes)
  const name = manifestTypes[type]
  return name === undefined ? unpacked(bytes, limits.files) : [{ name, read: await textOf(bytes) }]
}

async function bytesOf(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): Refusal =>
    new Refusal(413, 'too-large', `a set may have ${most / 1024 / 1024} MiB of manifests, unpacked`)
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge()
  // As large as it says to be: a large set is not copied twice.
  let bytes = new Uint8Array(Number(request.headers.get('content-length') ?? 0))
  let size = 0
  for await (const chunk of plain(request)) {
    if (size + chunk.length > most) throw tooLarge()
    if (size + chunk.length > bytes.length) {
      const larger = new Uint8Array(Math.min(Math.max(2 * bytes.length, size + chunk.length), most))
      larger.set(bytes.subarray(0, size))
      bytes = larger
    }
    bytes.set(chunk, size)
    size += chunk.length
  }
  return size === bytes.length ? bytes : bytes.slice(0, size)
}

/** The body without its Content-Encoding. */
async function* plain({ body, headers }: Request): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding === 'identity') {
    yield* body
    return
  }
  if (encoding !== 'gzip')
    throw new Refusal(415, 'unsupported-type', `Content-Encoding ${encoding} is not read; send gzip`)
  try {
    yield* body.pipeThrough(new DecompressionStream('gzip'))
  } catch {
    throw new Refusal(400, 'bad-body', 'the body is not whole, or not gzip')
  }
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>, most: number): Promise<readonly SetFile[]> {
  const files = new Map<string, SetFile>()
  for (const { name: path, type, data } of entriesOf(bytes)) {
    if (type !== 'file') continue
    const name = path.replace(/^(\.\/)+/, '')
    if (!isManifest(name)) continue
    if (name.length > maxName || hasControl(name)) throw new Refusal(400, 'bad-body', 'a file has no proper name')
    if (files.has(name)) throw new Refusal(400, 'bad-body', `the tar has two files of the name ${name}`)
    if (files.size === most) throw new Refusal(413, 'too-large', `a set may have ${most} files`)
    files.set(name, { name, read: await textOf(data ?? new Uint8Array()) })
  }
  return [...files.values()]
}

function entriesOf(bytes: Uint8Array<ArrayBuffer>): readonly ParsedTarFileItem[] {
  try {
    return parseTar(bytes)
  } catch {
    throw new Refusal(400, 'bad-body', 'the body is no tar, or not all of one')
  }
}

/** As among the files of a directory. */
const isManifest = (name: string): boolean =>
  /\.(yaml|yml|json)$/.test(name) && !/(^|\/)(\.|node_modules\/|kustomization\.ya?ml$)/.test(name)

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const hasControl = (name: string): boolean => /[\0-\x1f\x7f]/.test(name)

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A text with the character NUL is none that a database keeps. */
async function textOf(bytes: Uint8Array): Promise<FileText> {
  const text = decoded(bytes)
  // What is wrong with it, and where, is said where files are read.
  if (text === undefined) return readText(once(bytes), bytes.length)
  return text.includes('\0') ? { message: 'holds the character NUL, which is no text', line: 1 } : { text }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
