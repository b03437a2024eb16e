import { createServer, type Server } from 'node:http'
import type { Store } from '../control/publish/store.ts'

/** How many keys a page of a list has at most, as Workers KV documents it. */
const pageSize = 1000

/**
 * Answers a Worker's KV binding from a store, in the protocol that workerd speaks to the service behind `kvNamespace`:
 * GET /<key> is a value or 404, GET /?prefix=… a page of keys. Writes are refused.
 */
export function createKvServer(store: Pick<Store, 'get' | 'list'>): Server {
  return createServer(async (request, response) => {
    try {
      const url = new URL(request.url ?? '/', 'http://store')
      if (request.method !== 'GET') {
        response.writeHead(405).end()
      } else if (url.pathname === '/') {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(page(await store.list(url.searchParams.get('prefix') ?? ''), url.searchParams)))
      } else {
        const value = await store.get(decodeURIComponent(url.pathname.slice(1)))
        if (value === undefined) response.writeHead(404).end()
        else response.end(value)
      }
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
}

function page(keys: readonly string[], query: URLSearchParams): object {
  const after = query.get('cursor') ?? ''
  const left = keys.filter((key) => key > after).sort()
  const shown = left.slice(0, Math.min(Number(query.get('key_count_limit') ?? pageSize), pageSize))
  const complete = shown.length === left.length
  return {
    keys: shown.map((name) => ({ name })),
    list_complete: complete,
    ...(complete ? {} : { cursor: shown.at(-1) }),
  }
}
