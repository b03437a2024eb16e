import { expect, test } from 'vitest'
import { verifyAudit } from './audit-check.ts'
import { gateway, route, TestService } from './service-fixture.ts'
import { sql } from './sql.ts'
import type { Verb } from './tokens.ts'

const unauthenticated = async (service: TestService, authorization: string): Promise<number> =>
  (await service.ask('/v1/sets', { headers: { authorization } })).status

test('only a token that holds opens anything', async () => {
  const service = await TestService.start()
  const words = await service.token()
  expect(await unauthenticated(service, `Bearer ${words}`)).toBe(200)
  const flipped = words.slice(0, -1) + (words.endsWith('A') ? 'B' : 'A')
  const unknown = words.replace(/_[0-9a-f]{16}_/, `_${'0'.repeat(16)}_`)
  for (const wrong of [flipped, unknown, words.slice(0, -1), `${words}A`, words.toUpperCase(), '', "' OR 1=1 --"]) {
    expect(await unauthenticated(service, `Bearer ${wrong}`), wrong).toBe(401)
  }
  expect(await unauthenticated(service, `Basic ${words}`)).toBe(401)
})

test('a token ends when it is revoked, or its time has come', async () => {
  const service = await TestService.start()
  const { tokens } = service.service
  const wanted = { name: 'short', sets: ['*'], verbs: ['read'] as const, expiresAt: service.time + 1000 }
  const { words, statements } = await tokens.create(wanted, 'the test', (bytes) => new Uint8Array(bytes).fill(7))
  await service.sql.write(statements)
  expect(await unauthenticated(service, `Bearer ${words}`)).toBe(200)
  service.time += 1000
  expect(await unauthenticated(service, `Bearer ${words}`)).toBe(401)

  const other = await service.token()
  const [, id = ''] = other.split('_')
  expect(await tokens.revoke(id, 'the test')).toBe(true)
  expect(await tokens.revoke(id, 'the test')).toBe(false)
  expect(await unauthenticated(service, `Bearer ${other}`)).toBe(401)
})

test('a token does what it is for, with the sets that it is for', async () => {
  const service = await TestService.start()
  await service.push('infra', gateway)
  await service.push('shop', route('shop', '/'))
  const can = async (verbs: readonly Verb[], sets: readonly string[]): Promise<string> => {
    const token = await service.token({ verbs, sets })
    const body = { type: 'application/yaml', body: route('shop', '/b'), token }
    const statuses = {
      read: (await service.ask('/v1/sets/shop', { token })).status,
      plan: (await service.ask('/v1/sets/shop/plan', { method: 'POST', ...body })).status,
      push: (await service.push('shop', body.body, { token })).status,
      rollback: (await service.ask('/v1/sets/shop/rollback', { method: 'POST', token })).status,
      audit: (await service.ask('/v1/audit', { token })).status,
    }
    return Object.entries(statuses)
      .flatMap(([verb, status]) => (status === 200 ? [verb] : status === 403 ? [] : [`${verb} ${status}`]))
      .join(' ')
  }
  expect(await can(['read'], ['shop'])).toBe('read')
  expect(await can(['push', 'plan'], ['other', 'shop'])).toBe('plan push')
  expect(await can(['rollback'], ['*'])).toBe('rollback')
  expect(await can(['read', 'plan', 'push', 'rollback', 'audit'], ['infra'])).toBe('audit')
})

test('nobody is told of sets that are not theirs', async () => {
  const service = await TestService.start()
  await service.push('infra', gateway)
  await service.push('shop', route('shop', '/'))
  const token = await service.token({ sets: ['shop'] })
  expect((await service.ask('/v1/sets', { token })).body.sets).toMatchObject([
    { set: 'shop', owns: ['Namespace shop'] },
  ])
  expect((await service.ask('/v1/status', { token })).body.objects).toMatchObject([{ set: 'shop', kind: 'HTTPRoute' }])
  expect((await service.ask('/metrics', { token })).body).not.toContain('infra')
})

test('no secret is in the database, the log, an answer or the audit log', async () => {
  const service = await TestService.start()
  const words = await service.token({ name: 'ci' })
  const [, id = ''] = words.split('_')
  // It may have "_", too.
  const secret = words.split('_').slice(2).join('_')
  const answers = [
    await service.push('infra', gateway, { token: words }),
    await service.ask('/v1/nothing', { token: words }),
  ]
  answers.push(await service.ask(`/v1/sets/x`, { token: `${words}x` }))
  const tables = ['tokens', 'audit', 'versions', 'answers']
  const rows = await Promise.all(tables.map((table) => service.sql.all(sql(`SELECT * FROM ${table}`))))
  const all = JSON.stringify([rows, service.logged, answers.map(({ body }) => body)])
  expect(all).toContain(id)
  expect(all).not.toContain(secret)
  expect(all).toContain(`ci (${id})`)
})

async function busy(): Promise<TestService> {
  const service = await TestService.start()
  await service.push('infra', gateway)
  await service.push('infra', 'kind: [')
  await service.push('infra', `${gateway}---\n${route('infra', '/')}`)
  await service.ask('/v1/sets/infra/rollback', { method: 'POST' })
  return service
}

async function verdict(service: TestService, known?: { sequence: number; hash: string }): Promise<readonly string[]> {
  const versions = await service.service.history.versions('infra')
  return (await verifyAudit(service.service.audit, known, versions)).faults
}

test('the audit log has every deed, and who did it', async () => {
  const { body } = await (await busy()).ask('/v1/audit')
  const short = body.entries.map(({ action, version, note }: Record<string, unknown>) =>
    `${action} ${version} ${String(note).slice(0, 12)}`.trim(),
  )
  expect(short.slice(1)).toEqual([
    'push 1',
    'published 1',
    'refused 0 the manifest',
    'push 2',
    'published 2',
    'rollback 3 to version 1',
    'published 3',
  ])
})

test('an audit log that was written by the service is as it was written', async () => {
  const service = await busy()
  expect(await verdict(service, await service.service.audit.head())).toEqual([])
})

test.for<[string, string, RegExp]>([
  ['changed', `UPDATE audit SET entry = replace(entry, 'published', 'push') WHERE sequence = 3`, /entry 3 is not what/],
  ['taken out', 'DELETE FROM audit WHERE sequence = 4', /some are missing/],
  [
    'put in place of another',
    'UPDATE audit SET entry = (SELECT entry FROM audit WHERE sequence = 2), hash = (SELECT hash FROM audit WHERE sequence = 2) WHERE sequence = 3',
    /some are missing/,
  ],
  ['cut off at the end', 'DELETE FROM audit WHERE sequence > 7', /its end is cut off/],
  [
    'cut off with a version',
    'DELETE FROM audit WHERE sequence > 4',
    /version 3 of infra is in the history and not in the log/,
  ],
])('an entry that was %s shows', async ([, statement, fault]) => {
  const service = await busy()
  const head = await service.service.audit.head()
  await service.sql.write([sql(statement)])
  expect((await verdict(service, head)).join('; ')).toMatch(fault)
})

test('a log that was written anew as a whole shows to whoever kept a head', async () => {
  const [service, forged] = [await busy(), await TestService.start()]
  const head = await service.service.audit.head()
  forged.time += 5
  for (const path of 'abcdefgh') await forged.push('infra', `${gateway}---\n${route('infra', `/${path}`)}`)
  expect(await verdict(forged)).toEqual([])
  expect(await verdict(forged, head)).toEqual([`entry ${head.sequence} is another than the head that was kept`])
})
