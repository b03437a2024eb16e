import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { createTar } from 'nanotar'
import { findFiles, stdinPath } from '../kube/manifest-files.ts'
import { isFound } from '../kube/manifest-names.ts'
import { UsageError } from './usage.ts'

/** Bytes of a file's name in a tar. */
const maxName = 100

/** The manifests below the paths, as a request has them. */
export async function manifestsOf(
  paths: readonly string[],
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array<ArrayBuffer> }> {
  const body = new Uint8Array(await promisify(gzip)(await packed(paths), { level: 1 }))
  return { headers: { 'content-type': 'application/x-tar', 'content-encoding': 'gzip' }, body }
}

/** A tar of the files below the paths, by their names below this directory. */
async function packed(paths: readonly string[]): Promise<Uint8Array> {
  const { files, faults } = await findFiles(paths)
  for (const { file, message } of faults) throw new UsageError(`${file}: ${message}`)
  const items = []
  for (const file of files) {
    const name = file === stdinPath ? 'stdin.yaml' : relative('', file).replace(/^(\.\.\/)+/, '')
    if (!isFound(name.split('/'))) {
      throw new UsageError(
        `${name}: the service reads files of the names *.yaml, *.yml and *.json, and none of hidden directories`,
      )
    }
    if (Buffer.byteLength(name) > maxName) {
      throw new UsageError(
        `${name}: its name has more than ${maxName} bytes; push from a directory that is nearer to it`,
      )
    }
    items.push({
      name,
      data: new Uint8Array(file === stdinPath ? await standardInput() : await readFile(file)),
      attrs: { mtime: 0 },
    })
  }
  return createTar(items)
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}
