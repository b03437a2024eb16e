import { type ParsedTarFileItem, parseTar } from 'nanotar'
import { isFound } from '../../kube/manifest-names.ts'
import type { ServiceContext } from './access.ts'
import { Refusal } from './refusal.ts'
import { release } from './release.ts'
import type { SetFile } from './set-file.ts'

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
export async function filesOf(c: ServiceContext): Promise<readonly SetFile[]> {
  const { limits } = c.env.service.place
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!Object.hasOwn(manifestTypes, type)) {
    const detail = `a body of type ${JSON.stringify(type)} is not read; send ${Object.keys(manifestTypes).join(', ')}`
    throw new Refusal(415, 'unsupported-type', detail)
  }
  const pieces = bounded(plain(c), limits.bodyBytes)
  const bytes = await bytesOf(pieces, Number(c.req.header('content-length') ?? 0))
  const name = manifestTypes[type]
  return name === undefined ? unpacked(bytes, limits.files) : [{ name, bytes: Buffer.from(bytes.buffer) }]
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
    release(piece)
  }
  return size === bytes.length ? bytes : bytes.slice(0, size)
}

/** The body without its Content-Encoding. */
async function* plain({ req, env }: ServiceContext): AsyncGenerator<Uint8Array> {
  const encoding = req.header('content-encoding') ?? 'identity'
  if (encoding === 'identity') {
    yield* env.body ?? req.raw.body ?? []
    return
  }
  if (encoding !== 'gzip')
    throw new Refusal(415, 'unsupported-type', `Content-Encoding ${encoding} is not read; send gzip`)
  try {
    yield* req.raw.body?.pipeThrough(new DecompressionStream('gzip')) ?? []
  } catch {
    throw new Refusal(400, 'bad-body', 'the body is not whole, or not gzip')
  }
}

function unpacked(bytes: Uint8Array<ArrayBuffer>, most: number): readonly SetFile[] {
  const files = new Map<string, SetFile>()
  for (const { name: path, type, data } of entriesOf(bytes)) {
    if (type !== 'file') continue
    const name = path.replace(/^(\.\/)+/, '')
    if (!isFound(name.split('/'))) continue
    if (name.length > maxName || hasControl(name)) throw new Refusal(400, 'bad-body', 'a file has no proper name')
    if (files.has(name)) throw new Refusal(400, 'bad-body', `the tar has two files of the name ${name}`)
    if (files.size === most) throw new Refusal(413, 'too-large', `a set may have ${most} files`)
    files.set(name, { name, bytes: Buffer.from(data ?? []) })
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
