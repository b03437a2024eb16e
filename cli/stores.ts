import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { DirectoryStore } from '../control/publish/directory.ts'
import type { Store } from '../control/publish/store.ts'
import { UsageError } from './usage.ts'

export const storeWords = 'local, dir:PATH or cloudflare'

/** The id of the KV namespace that wrangler.toml binds as TABLES. */
const localNamespace = 'landfall-tables'

/** The store that a command names. Its module is loaded only when it is named: some bring much with them. */
export async function openStore(name: string): Promise<Store> {
  if (name === 'local') {
    const { LocalStore } = await import('../control/publish/local.ts')
    return new LocalStore(process.cwd(), namespaceId() ?? localNamespace)
  }
  if (name.startsWith('dir:') && name.length > 4) return new DirectoryStore(name.slice(4))
  if (name === 'cloudflare') {
    const { CloudflareStore } = await import('../control/publish/cloudflare.ts')
    return new CloudflareStore({
      accountId: variable('CLOUDFLARE_ACCOUNT_ID'),
      namespaceId: process.env.CLOUDFLARE_KV_NAMESPACE_ID ?? namespaceId() ?? variable('CLOUDFLARE_KV_NAMESPACE_ID'),
      token: variable('CLOUDFLARE_API_TOKEN'),
    })
  }
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
