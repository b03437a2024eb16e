import { Hono } from 'hono'
import { authenticate, permit, type ServiceEnv } from './access.ts'
import { auditPage } from './audit.ts'
import { eventStream } from './event-stream.ts'
import { openApi } from './openapi.ts'
import { Refusal, type RefusalStatus } from './refusal.ts'
import { setRoutes } from './set-routes.ts'
import { statusOf } from './status.ts'
import { mayDo } from './tokens.ts'

/** The service for HTTP: the same on Node and in a Worker. */
export const app = new Hono<ServiceEnv>()
  .use(async (c, next) => {
    const { metrics, place } = c.env.service
    const since = place.now()
    await next()
    c.header('cache-control', 'no-store')
    metrics.answered(c.res.status)
    const { method, path } = c.req
    place.log('info', 'answered', {
      method,
      path,
      status: c.res.status,
      ms: place.now() - since,
      by: c.var.token?.id ?? '',
    })
  })
  .get('/healthz', (c) => c.json({ health: 'ok' }))
  .get('/readyz', async (c) => {
    await c.env.service.audit.head()
    return c.json({ health: 'ok' })
  })
  .get('/openapi.json', (c) => c.json(openApi))
  .use('/v1/*', authenticate)
  .use('/metrics', authenticate)
  .get('/metrics', (c) => {
    permit(c, 'read')
    const { metrics, union } = c.env.service
    const versions = [...union.versions.values()].filter(({ set }) => mayDo(c.var.token, 'read', set))
    return c.text(metrics.text(versions), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    })
  })
  .get('/v1/status', async (c) => {
    permit(c, 'read')
    const { union, place } = c.env.service
    await union.refresh()
    return c.json({ objects: statusOf(union.current, c.var.token, place.now()) })
  })
  .get('/v1/audit', async (c) => {
    permit(c, 'audit')
    const after = Number(c.req.query('after') ?? 0)
    if (!Number.isSafeInteger(after) || after < 0) {
      throw new Refusal(400, 'bad-request', `after is a sequence; up to ${auditPage} entries behind it are answered`)
    }
    return c.json({ entries: await c.env.service.audit.after(after) })
  })
  .get('/v1/events', eventStream)
  .route('/', setRoutes)
  .notFound((c) => problem(new Refusal(404, 'not-found', `there is nothing at ${c.req.path}`)))
  .onError((error, c) => {
    if (error instanceof Refusal) return problem(error)
    c.env.service.place.log('error', 'failed', { path: c.req.path, error: error.stack ?? error.message })
    return problemOf(500, 'internal-error', 'the service has a fault; its log says more', {})
  })

const problem = ({ status, reason, message, more }: Refusal): Response => problemOf(status, reason, message, more)

function problemOf(status: RefusalStatus | 500, reason: string, detail: string, more: Refusal['more']): Response {
  const title = reason.replaceAll('-', ' ')
  const body = { type: `urn:landfall:control:${reason}`, title, status, detail, ...more }
  return Response.json(body, {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="landfall control"' } : {}),
      ...(more.retryAfter === undefined ? {} : { 'retry-after': String(more.retryAfter) }),
    },
  })
}
