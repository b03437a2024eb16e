import { Hono } from 'hono'
import { version } from '../engine/version.ts'
import type { Worker } from './worker.ts'

/** Landfall's own paths in a Worker: never routed, whatever the table says. */
export const adminPath = '/.well-known/landfall/'

/** Health, version and metrics for who has the deployment's ADMIN_TOKEN; for anyone else there is nothing here. */
export const admin = new Hono<{ Bindings: { worker: Worker } }>()
  .basePath(adminPath)
  .use('*', async (c, next) => {
    const { adminToken } = c.env.worker.config
    if (adminToken === undefined) return c.notFound()
    const given = /^bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
    if (await equal(given, adminToken)) return next()
    return c.text('401 wrong or missing bearer token\n', 401, { 'www-authenticate': 'Bearer realm="landfall"' })
  })
  .get('/health', (c) => {
    const status = c.env.worker.tables.status()
    const health = status.gateways.length === 0 ? 'failed' : status.problems.length > 0 ? 'degraded' : 'ok'
    return c.json({ health, ...status }, health === 'failed' ? 503 : 200)
  })
  .get('/version', (c) => c.json({ landfall: version, gateways: c.env.worker.tables.status().gateways }))
  .get('/metrics', (c) =>
    c.text(c.env.worker.metrics.text(c.env.worker.tables.status()), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    }),
  )
  .post('/refresh', async (c) => {
    const { tables, upstreams } = c.env.worker
    await tables.refresh(upstreams.now(), c.executionCtx as ExecutionContext)
    return c.json(tables.status())
  })
  .notFound((c) => c.text('404 not found\n', 404))

/** Takes the same time wherever the two differ, and for every length. */
async function equal(a: string, b: string): Promise<boolean> {
  const encoder = new TextEncoder()
  const [x, y] = await Promise.all([a, b].map((each) => crypto.subtle.digest('SHA-256', encoder.encode(each))))
  return x !== undefined && y !== undefined && crypto.subtle.timingSafeEqual(x, y)
}
