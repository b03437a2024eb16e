import { spawn } from 'node:child_process'
import { relative, resolve, sep } from 'node:path'
import { text } from 'node:stream/consumers'
import { isFound } from '../kube/manifest-names.ts'
import { UsageError } from './usage.ts'

/** A file as a revision has it. */
export interface RevisionFile {
  /** Relative to the working directory. */
  readonly name: string
  readonly text: string
}

/** As many as are read from a directory, and bytes of all together. */
const MOST_FILES = 100_000
const MOST_BYTES = 512 * 1024 * 1024

/** The manifests of a git revision below paths, as they would be found on the disk; none where it has no such path. Links are
 *  not followed. Reads the repository's objects only, never its work tree. */
export async function gitManifests(revision: string, paths: readonly string[]): Promise<readonly RevisionFile[]> {
  const tree = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{tree}`]).catch(() => {
    throw new UsageError(`git knows no revision ${JSON.stringify(revision)} here`)
  })
  const files = new Map<string, string>()
  for (const path of paths) {
    const found = blobsIn(await git(['ls-tree', '-r', '-z', tree.toString('utf8').trim(), '--', path]))
    for (const { name, hash } of found) if (isWanted(name, path)) files.set(name, hash)
  }
  if (files.size > MOST_FILES) throw new UsageError(`${revision} has more than ${MOST_FILES} manifests`)
  const contents = await blobs([...files.values()])
  return [...files.keys()].sort().map((name) => ({ name, text: contents.get(files.get(name) ?? '') ?? '' }))
}

function blobsIn(listing: Buffer): readonly { readonly name: string; readonly hash: string }[] {
  return listing
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const [, hash, name] = /^100\d{3} blob (\w+)\t(.*)$/s.exec(line) ?? []
      return hash === undefined || name === undefined ? [] : [{ name, hash }]
    })
}

/** A file that is named by itself counts whatever its name. */
function isWanted(name: string, path: string): boolean {
  const below = relative(resolve(path), resolve(name))
  return below === '' || isFound(below.split(sep))
}

/** By hash. */
async function blobs(hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const output = await git(['cat-file', '--batch'], hashes.map((hash) => `${hash}\n`).join(''))
  const found = new Map<string, string>()
  for (let at = 0; at < output.length; ) {
    const lineEnd = output.indexOf(0x0a, at)
    const [hash = '', , size] = output.toString('utf8', at, lineEnd).split(' ')
    const end = lineEnd + 1 + Number(size)
    if (lineEnd < 0 || !(end <= output.length)) throw new UsageError(`git has no object ${hash}`)
    found.set(hash, output.toString('utf8', lineEnd + 1, end))
    at = end + 1
  }
  return found
}

async function git(args: readonly string[], input = ''): Promise<Buffer> {
  const child = spawn('git', [...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', () => fail(new UsageError('git cannot be run')))
    child.on('close', done)
  })
  // A git that ends early says why on its standard error.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const complaint = text(child.stderr)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of child.stdout) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MOST_BYTES) child.kill()
  }
  const code = await ended
  if (size > MOST_BYTES) throw new UsageError(`the manifests take more than ${MOST_BYTES / 1024 / 1024} MiB`)
  if (code !== 0) throw new UsageError(`git ${args[0]}: ${(await complaint).trim()}`)
  return Buffer.concat(chunks)
}
