import { lstat, readlink } from 'node:fs/promises'
import { join, parse, resolve, sep } from 'node:path'

/** An entry of a directory. */
export interface Entry {
  /** A real path. */
  readonly directory: string
  readonly name: string
}

/** Links that Linux follows on one way: path_resolution(7). */
const maxLinks = 40

/** What decides where a path leads: each link on the way, and its end, or what is missing first. */
export async function pathTrail(path: string): Promise<readonly Entry[]> {
  const { root } = parse(resolve(path))
  const trail: Entry[] = []
  const names = namesIn(resolve(path))
  let directory = root
  for (let links = 0; links <= maxLinks; ) {
    const name = names.shift()
    if (name === undefined) break
    const here = join(directory, name)
    const status = await lstat(here).catch(() => undefined)
    const target = status?.isSymbolicLink() === true ? await readlink(here).catch(() => undefined) : undefined
    if (status === undefined || target !== undefined || names.length === 0) trail.push({ directory, name })
    if (status === undefined) break
    if (target === undefined) directory = here
    else {
      links++
      names.unshift(...namesIn(resolve(directory, target)))
      directory = root
    }
  }
  return trail
}

const namesIn = (path: string): string[] =>
  path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((name) => name !== '')
