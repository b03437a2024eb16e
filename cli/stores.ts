import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { DirectoryStore } from '../control/publish/directory.ts'
import { LocalStore } from '../control/publish/local.ts'
import type { Store } from '../control/publish/store.ts'
import { UsageError } from './usage.ts'

export const storeWords = 'local, dir:PATH or cloudflare'

/** The id of the KV namespace that wrangler.toml binds as TABLES. */
const localNamespace = 'landfall-tables'

/** The store that a command names. */
export function openStore(name: string): Store {
  if (name === 'local') return new LocalStore(process.cwd(), namespaceId() ?? localNamespace)
  if (name.startsWith('dir:') && name.length > 4) return new DirectoryStore(name.slice(4))
  throw new UsageError(`there is no store ${JSON.stringify(name)}; write ${storeWords}`)
}

function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new UsageError(`the store cloudflare needs ${name} in the environment`)
  return value
}

/** As `wrangler.toml` in the working directory has it. */
function namespaceId(): string | undefined {
  try {
    const text = readFileSync(join(process.cwd(), 'wrangler.toml'), 'utf8')
    return /\[\[kv_namespaces\]\]\s+binding = "TABLES"\s+id = "([^"]+)"/.exec(text)?.[1]
  } catch {
    return undefined
  }
}
