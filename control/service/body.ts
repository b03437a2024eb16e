import { type ParsedTarFileItem, parseTar } from 'nanotar'
import type { FileText } from '../../kube/file-text.ts'
import { isFound } from '../../kube/manifest-names.ts'
import { newlines } from '../../kube/yaml/split.ts'
import type { Limits } from './limits.ts'
import { Refusal } from './refusal.ts'
import type { SetFile } from './workspace.ts'

/** Characters of a file's name. */
const maxName = 512
/** Bytes that are made room for before they have come. */
const maxExpected = 64 * 1024 * 1024

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
  const pieces = bounded(plain(request), limits.bodyBytes)
  const name = manifestTypes[type]
  return name === undefined
    ? unpacked(await bytesOf(pieces, Number(request.headers.get('content-length') ?? 0)), limits.files)
    : [{ name, read: await textOf(pieces) }]
}

async function* bounded(pieces: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const piece of pieces) {
    size += piece.length
    if (size > most) {
      throw new Refusal(413, 'too-large', `a set may have ${most / 1024 / 1024} MiB of manifests, unpacked`)
    }
    yield piece
  }
}

/** `expected`: bytes that there are by all odds, so that a large set is not copied twice. */
async function bytesOf(pieces: AsyncIterable<Uint8Array>, expected: number): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(Math.min(expected, maxExpected))
  let size = 0
  for await (const piece of pieces) {
    if (size + piece.length > bytes.length) {
      const larger = new Uint8Array(Math.max(2 * bytes.length, size + piece.length))
      larger.set(bytes.subarray(0, size))
      bytes = larger
    }
    bytes.set(piece, size)
    size += piece.length
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
    if (!isFound(name.split('/'))) continue
    if (name.length > maxName || hasControl(name)) throw new Refusal(400, 'bad-body', 'a file has no proper name')
    if (files.has(name)) throw new Refusal(400, 'bad-body', `the tar has two files of the name ${name}`)
    if (files.size === most) throw new Refusal(413, 'too-large', `a set may have ${most} files`)
    files.set(name, { name, read: await textOf(once(data ?? new Uint8Array())) })
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

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const hasControl = (name: string): boolean => /[\0-\x1f\x7f]/.test(name)

/** A text, without a copy of its bytes as a whole. One with the character NUL is none that a database keeps. */
async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<FileText> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const parts: string[] = []
  for await (const piece of pieces) {
    const part = decoded(decoder, piece)
    if (part === undefined) return { message: 'holds bytes that are not UTF-8; save it as UTF-8', line: lineAt(parts) }
    parts.push(part)
    if (part.includes('\0')) return { message: 'holds the character NUL, which is no text', line: lineAt(parts) }
  }
  return decoded(decoder) === undefined
    ? { message: 'ends in the middle of a character', line: lineAt(parts) }
    : { text: parts.join('') }
}

/** Of a piece, or at the end of all of them. undefined for what is not UTF-8. */
function decoded(decoder: InstanceType<typeof TextDecoder>, piece?: Uint8Array): string | undefined {
  try {
    return decoder.decode(piece, { stream: piece !== undefined })
  } catch {
    return undefined
  }
}

const lineAt = (parts: readonly string[]): number => 1 + parts.reduce((sum, part) => sum + newlines(part), 0)

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
