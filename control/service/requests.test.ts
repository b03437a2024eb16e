import { gzipSync } from 'node:zlib'
import { createTar } from 'nanotar'
import { describe, expect, test } from 'vitest'
import { app } from './app.ts'
import { nodeLimits } from './limits.ts'
import { openApi } from './openapi.ts'
import { gateway, route, TestService } from './service-fixture.ts'
import { sql } from './sql.ts'

const both = (path: string): string => `${gateway}---\n${route('infra', path)}`

describe('what a body can be', () => {
  const files = [
    { name: './infra/gateway.yaml', data: gateway },
    {
      name: 'routes/one.json',
      data: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a', namespace: 'infra' },
        spec: { ports: [{ port: 80 }] },
      }),
    },
    { name: 'README.md', data: '# not a manifest' },
    { name: '.hidden/x.yaml', data: 'kind: nonsense' },
  ]

  test('a tar of files, of which those count that a directory of manifests has', async () => {
    const service = await TestService.start()
    const { status, body } = await service.push('infra', '', {
      type: 'application/x-tar',
      body: new Uint8Array(createTar(files)),
    })
    expect([status, body.objects]).toEqual([200, 3])
  })

  test('a file that comes by itself, then among others, then with nothing in it', async () => {
    const service = await TestService.start()
    const own = `${route('infra', '/a')}# ü\n`
    const counts = [(await service.push('infra', own)).body.objects]
    for (const data of [own, '', own]) {
      const tar = createTar([
        { name: 'gateway.yaml', data: gateway },
        { name: 'manifests.yaml', data },
      ])
      const { body } = await service.push('infra', '', { type: 'application/x-tar', body: new Uint8Array(tar) })
      counts.push(body.objects)
    }
    expect(counts).toEqual([1, 3, 2, 3])
  })

  test('the same compressed, with findings by file', async () => {
    const service = await TestService.start()
    const bad = [...files, { name: 'bad.yaml', data: '\n\nkind: HTTPRoute\napiVersion: x/v1\n' + 'metadata: [' }]
    const body = new Uint8Array(gzipSync(createTar(bad)))
    const answer = await service.push('infra', '', {
      type: 'application/x-tar',
      headers: { 'content-encoding': 'gzip' },
      body,
    })
    expect([answer.status, answer.body.problems[0].file]).toEqual([422, 'infra/bad.yaml'])
  })

  test.for<[string, number, Partial<Parameters<TestService['push']>[2]>]>([
    ['another type', 415, { type: 'text/html', body: '<p>' }],
    ['no type', 415, { headers: { 'content-type': '' } }],
    ['another encoding', 415, { headers: { 'content-encoding': 'br' } }],
    [
      'half of a gzip',
      400,
      { headers: { 'content-encoding': 'gzip' }, body: new Uint8Array(gzipSync('x'.repeat(10_000))).slice(0, 20) },
    ],
    [
      'half of a tar',
      400,
      {
        type: 'application/x-tar',
        body: new Uint8Array(createTar([{ name: 'a.yaml', data: 'x'.repeat(5000) }])).slice(0, 2000),
      },
    ],
    [
      'two files of one name',
      400,
      {
        type: 'application/x-tar',
        body: new Uint8Array(
          createTar([
            { name: 'a.yaml', data: gateway },
            { name: './a.yaml', data: gateway },
          ]),
        ),
      },
    ],
    ['no UTF-8', 422, { body: Uint8Array.of(0x61, 0x3a, 0xff, 0xfe) }],
    ['the character NUL', 422, { body: `${gateway}# \0` }],
  ])('%s is refused', async ([, status, more]) => {
    const service = await TestService.start()
    expect((await service.push('infra', gateway, more)).status).toBe(status)
    expect((await service.ask('/v1/sets')).body.sets).toEqual([])
  })

  test('more than the limit is refused, also when it only unpacks to that', async () => {
    const service = await TestService.start({ limits: { ...nodeLimits, bodyBytes: 10_000, files: 2 } })
    const large = `${gateway}#${'x'.repeat(10_000)}`
    expect((await service.push('infra', large)).status).toBe(413)
    const packed = new Uint8Array(gzipSync(large))
    expect(packed.length).toBeLessThan(1_000)
    expect((await service.push('infra', '', { body: packed, headers: { 'content-encoding': 'gzip' } })).status).toBe(
      413,
    )
    const many = createTar(['a', 'b', 'c'].map((name) => ({ name: `${name}.yaml`, data: '#' })))
    expect((await service.push('infra', '', { type: 'application/x-tar', body: new Uint8Array(many) })).status).toBe(
      413,
    )
  })
})

describe('what a change may start from', () => {
  test('If-Match lets pass the version that is there and no other', async () => {
    const service = await TestService.start()
    const push = (path: string, headers: Record<string, string>) => service.push('infra', both(path), { headers })
    expect((await push('/a', { 'if-match': '*' })).status).toBe(412)
    expect((await push('/a', { 'if-match': '"1"' })).status).toBe(412)
    expect((await push('/a', { 'if-none-match': '*' })).status).toBe(200)
    expect((await push('/b', { 'if-none-match': '*' })).status).toBe(412)
    expect((await push('/b', { 'if-match': '"1"' })).body.version).toBe(2)
    expect(await push('/c', { 'if-match': '"1"' })).toMatchObject({ status: 412, body: { version: 2 } })
    expect((await push('/c', { 'if-match': '"1", "2"' })).status).toBe(200)
    expect((await push('/d', { 'if-match': '3' })).status).toBe(400)
    const back = { method: 'POST', headers: { 'if-match': '"1"' } }
    expect((await service.ask('/v1/sets/infra/rollback', back)).status).toBe(412)
  })

  test('the same content makes no new version', async () => {
    const service = await TestService.start()
    await service.push('infra', both('/a'))
    const again = await service.push('infra', both('/a'))
    expect(again.body).toMatchObject({ version: 1, unchanged: true, changes: [], written: { entries: 0 } })
  })

  test('a request with the same Idempotency-Key is done once and answered again', async () => {
    const service = await TestService.start()
    const headers = { 'idempotency-key': 'job-1', 'if-none-match': '*' }
    const first = await service.push('infra', both('/a'), { headers })
    await service.push('infra', both('/b'))
    expect((await service.push('infra', both('/a'), { headers })).body).toEqual(first.body)
    expect((await service.ask('/v1/sets/infra')).body.latest.version).toBe(2)
    expect((await service.push('infra', both('/c'), { headers })).body.type).toMatch(/key-reused$/)
    service.time += 25 * 3600 * 1000
    expect((await service.push('infra', both('/a'), { headers })).status).toBe(412)
  })

  test('nothing left to serve is refused, unless it is meant', async () => {
    const service = await TestService.start()
    await service.push('infra', both('/a'))
    await service.push('shop', route('shop', '/'))
    for (const [set, text] of [
      ['shop', '# nothing'],
      ['infra', route('infra', '/')],
    ] as const) {
      expect((await service.push(set, text)).body.type).toMatch(/:empty$/)
      expect((await service.push(set, text, { query: '?allowEmpty=true' })).status).toBe(200)
    }
  })
})

test('a plan says what a push would do, and does nothing', async () => {
  const service = await TestService.start()
  await service.push('infra', both('/a'))
  const body = both('/b')
  const plan = await service.ask('/v1/sets/infra/plan', { method: 'POST', type: 'application/yaml', body })
  expect(plan.body).toMatchObject({
    current: 1,
    changes: [{ routes: { changed: ['HTTPRoute infra/web'] } }],
    written: { entries: 2 },
  })
  expect((await service.ask('/v1/sets/infra')).body.latest.version).toBe(1)
  const { version: _, audit: __, ...pushed } = (await service.push('infra', body)).body
  expect({ ...pushed, current: 1 }).toEqual(plan.body)
})

test('a rollback to what is not kept is refused', async () => {
  const service = await TestService.start()
  const back = (body: string, set = 'infra') => service.ask(`/v1/sets/${set}/rollback`, { method: 'POST', body })
  await service.push('infra', both('/a'))
  expect((await back('{"to": 7}')).body.type).toMatch(/no-such-version$/)
  expect((await back('')).body.type).toMatch(/no-such-version$/)
  expect((await back('', 'none')).body.type).toMatch(/no-such-set$/)
  for (const wrong of ['{"to": 0}', '{"to": "1"}', '[]', '{', '{"from": 1}'])
    expect((await back(wrong)).status).toBe(400)
})

test('the latest 50 versions are kept, and nothing of those before', async () => {
  const service = await TestService.start({ limits: { ...nodeLimits, pushes: { burst: 100, perSecond: 1 } } })
  const padding = (n: number): string => `# ${String(n).repeat(40_000)}\n`
  for (let n = 1; n <= 53; n++) await service.push('infra', `${both(`/path-${n}`)}${padding(n)}`)
  const { versions } = (await service.ask('/v1/sets/infra/versions')).body
  expect([versions.length, versions.at(-1).version]).toEqual([50, 4])
  const back = (to: number) => service.ask('/v1/sets/infra/rollback', { method: 'POST', body: JSON.stringify({ to }) })
  expect((await back(3)).status).toBe(404)
  expect((await back(4)).status).toBe(200)
  const kept = await service.sql.all(sql('SELECT DISTINCT j.value FROM versions v, json_each(v.chunks) j'))
  expect(await service.sql.all(sql('SELECT hash FROM chunks'))).toHaveLength(kept.length)
})

test('status has every object with its set', async () => {
  const service = await TestService.start()
  await service.push('infra', gateway)
  await service.push('shop', route('shop', '/'))
  const { objects } = (await service.ask('/v1/status')).body
  expect(objects.map(({ set, kind }: { set: string; kind: string }) => `${set} ${kind}`)).toEqual([
    'infra GatewayClass',
    'infra Gateway',
    'shop HTTPRoute',
  ])
  expect(objects[2].status.parents[0].conditions[0]).toMatchObject({ type: 'Accepted', status: 'True' })
})

test('findings about the set are answered, with file and line', async () => {
  const service = await TestService.start()
  await service.push('infra', gateway)
  const refs = route('shop', '/').replace('filters:', 'backendRefs: [{name: none, port: 80}]\n      #')
  const { status, body } = await service.push('shop', refs)
  expect(status).toBe(200)
  expect(body.findings).toMatchObject([
    { severity: 'error', file: 'shop/manifests.yaml', line: 9, reason: 'BackendNotFound' },
  ])
})

test('a token that asks too much waits', async () => {
  const service = await TestService.start({ limits: { ...nodeLimits, pushes: { burst: 2, perSecond: 0.5 } } })
  const other = await service.token()
  await service.push('infra', both('/a'))
  await service.push('infra', both('/b'))
  const refused = await service.push('infra', both('/c'))
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2'])
  expect((await service.push('infra', both('/c'), { token: other })).status).toBe(200)
  service.time += 2_000
  expect((await service.push('infra', both('/d'))).status).toBe(200)
})

test('events tell how a push gets on', async () => {
  const service = await TestService.start()
  const { body } = await service.ask('/v1/events')
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  await service.push('infra', both('/a'))
  await service.push('infra', 'kind: [')
  let seen = ''
  while (!seen.includes('event: refused')) seen += (await reader.read()).value
  expect([...seen.matchAll(/event: (\w+)/g)].map(([, step]) => step)).toEqual(
    'received compiled kept writing writing published received refused'.split(' '),
  )
  await reader.cancel()
  expect(service.service.progress.size).toBe(0)
})

test('the document has every path of the service, and no other', () => {
  const served = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
  const documented = Object.entries(openApi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect([...new Set(served)].toSorted()).toEqual(documented.toSorted())
})

test('health and the document need no token, and metrics do', async () => {
  const service = await TestService.start()
  for (const path of ['/healthz', '/readyz', '/openapi.json']) {
    expect((await service.ask(path, { headers: { authorization: '' } })).status).toBe(200)
  }
  expect((await service.ask('/metrics', { headers: { authorization: '' } })).status).toBe(401)
  await service.push('infra', both('/a'))
  expect((await service.ask('/metrics')).body).toContain('landfall_control_pushes_total{outcome="published"} 1\n')
  expect((await service.ask('/v1/nothing')).status).toBe(404)
})
