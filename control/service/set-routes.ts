import { Hono } from 'hono'
import { z } from 'zod'
import { limitPush, permit, permittedSet, type ServiceContext, type ServiceEnv } from './access.ts'
import type { setAnswer, versionAnswer } from './answers.ts'
import { filesOf } from './body.ts'
import { compare, type VersionName } from './comparison.ts'
import type { Version } from './history.ts'
import { preconditionOf, tagOf } from './precondition.ts'
import { ownedNames } from './proposal.ts'
import type { Change } from './publisher.ts'
import { Refusal } from './refusal.ts'
import { actorOf, mayDo } from './tokens.ts'

/** Characters of a request that has no manifests. */
const maxSmallBody = 1_000

export const rollbackForm = z.strictObject({ to: z.int().min(1).optional() })

const keyForm = /^[\x21-\x7e]{1,200}$/

/** What is done with sets, and what can be known of them. */
export const setRoutes = new Hono<ServiceEnv>()
  .get('/v1/sets', async (c) => {
    permit(c, 'read')
    const { union } = c.env.service
    await union.refresh()
    const sets = [...union.versions.values()].filter(({ set }) => mayDo(c.var.token, 'read', set))
    return c.json({ sets: sets.toSorted((a, b) => (a.set < b.set ? -1 : 1)).map((latest) => shownSet(c, latest)) })
  })
  .get('/v1/sets/:set', async (c) => {
    const set = permittedSet(c, 'read')
    const { union } = c.env.service
    await union.refresh()
    const latest = union.versions.get(set)
    if (latest === undefined) throw new Refusal(404, 'no-such-set', `there is no set ${set}`)
    return c.json(shownSet(c, latest), 200, { etag: tagOf(latest.version) })
  })
  .get('/v1/sets/:set/versions', async (c) => {
    const set = permittedSet(c, 'read')
    const versions = await c.env.service.history.versions(set)
    if (versions.length === 0) throw new Refusal(404, 'no-such-set', `there is no set ${set}`)
    return c.json({ versions: versions.map(shownVersion) })
  })
  .put('/v1/sets/:set', async (c) => {
    const set = permittedSet(c, 'push')
    const change = changeOf(c, set)
    const { union, publisher, place } = c.env.service
    if (union.versions.size >= place.limits.sets && !union.versions.has(set)) {
      throw new Refusal(409, 'too-many-sets', `there are ${place.limits.sets} sets already`)
    }
    const json = await c.env.service.bodies.use(async () => publisher.push({ ...change, files: await filesOf(c) }))
    return changed(json)
  })
  .post('/v1/sets/:set/plan', async (c) => {
    const set = permittedSet(c, 'plan')
    const change = changeOf(c, set)
    const { publisher, bodies } = c.env.service
    const plan = await bodies.use(async () => publisher.plan({ ...change, files: await filesOf(c) }))
    return c.json(plan)
  })
  .post('/v1/sets/:set/diff', async (c) => {
    const set = permittedSet(c, 'plan')
    limitPush(c)
    const { service } = c.env
    const [from, to] = [versionIn(c, 'from'), versionIn(c, 'to')]
    const answer = await service.bodies.use(async () =>
      compare(service, { set, from: from ?? 'latest', to: to ?? (await filesOf(c)) }),
    )
    return c.json(answer)
  })
  .post('/v1/sets/:set/rollback', async (c) => {
    const set = permittedSet(c, 'rollback')
    const { to } = await formOf(c)
    return changed(await c.env.service.publisher.rollback({ ...changeOf(c, set), to }))
  })

function changeOf(c: ServiceContext, set: string): Change {
  limitPush(c)
  const { token } = c.var
  const key = c.req.header('idempotency-key')
  if (key !== undefined && !keyForm.test(key)) {
    throw new Refusal(400, 'bad-request', 'an Idempotency-Key has 1 to 200 visible characters of ASCII')
  }
  return {
    set,
    by: actorOf(token),
    mayFollow: preconditionOf(c.req.raw.headers),
    key: key === undefined ? undefined : { token: token.id, key },
    allowEmpty: c.req.query('allowEmpty') === 'true',
  }
}

/** A version that the query names. */
function versionIn(c: ServiceContext, name: string): VersionName | undefined {
  const text = c.req.query(name)
  if (text === undefined || text === 'latest') return text
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Refusal(400, 'bad-request', `${name} is the number of a version, or latest`)
}

async function formOf(c: ServiceContext): Promise<z.output<typeof rollbackForm>> {
  const text = await c.req.text()
  if (text.length > maxSmallBody) throw new Refusal(413, 'too-large', 'the body is larger than any that is read here')
  if (text === '') return {}
  try {
    return rollbackForm.parse(JSON.parse(text))
  } catch {
    throw new Refusal(400, 'bad-request', 'the body has to be JSON, as {"to": 3}')
  }
}

function changed(json: string): Response {
  const { version }: { version: number } = JSON.parse(json)
  return new Response(json, { headers: { 'content-type': 'application/json', etag: tagOf(version) } })
}

const shownSet = (c: ServiceContext, latest: Version): z.input<typeof setAnswer> => ({
  set: latest.set,
  owns: ownedNames({ set: latest.set, candidate: c.env.service.union.current }),
  latest: shownVersion(latest),
})

const shownVersion = ({ at, publishedAt, rollbackTo, ...version }: Version): z.input<typeof versionAnswer> => ({
  ...version,
  at: new Date(at).toISOString(),
  ...(publishedAt === undefined ? {} : { publishedAt: new Date(publishedAt).toISOString() }),
  ...(rollbackTo === undefined ? {} : { rollbackTo }),
})
