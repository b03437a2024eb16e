import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { landfall, type Output, run } from './serve-rig.ts'

let repository: string

const runThere = (program: string, args: readonly string[], stdin = ''): Promise<Output> =>
  run(program, args, stdin, {
    cwd: repository,
    env: { NO_COLOR: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  })

const diff = (...args: readonly string[]): Promise<Output> => runThere(landfall, ['diff', ...args])

async function git(...args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false']
  const { code, stdout, stderr } = await runThere('git', [...identity, ...args])
  expect([code, stderr.includes('fatal')]).toEqual([0, false])
  return stdout.trim()
}

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: landfall }
spec: { controllerName: landfall.dev/gateway-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop }
spec:
  gatewayClassName: landfall
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`

const service = (name: string, address: string): string => `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, namespace: shop, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [${address}], conditions: { ready: true } }]
ports: [{ port: 8080 }]
---
`

const route = (rules: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop, namespace: shop }
spec:
  parentRefs: [{ name: web }]
  hostnames: [shop.example.com]
  rules:
${rules}`

const oldRules = `    - matches: [{ path: { value: /cart } }]
      backendRefs: [{ name: cart, port: 80 }]
    - matches: [{ path: { value: /old } }]
      filters: [{ type: RequestRedirect, requestRedirect: { path: { type: ReplaceFullPath, replaceFullPath: / } } }]
    - backendRefs: [{ name: front, port: 80 }]
`

const newRules = `    - matches: [{ path: { value: /cart } }]
      backendRefs: [{ name: cart, port: 80, weight: 9 }, { name: next, port: 80, weight: 1 }]
      timeouts: { request: 10s }
    - matches: [{ path: { type: RegularExpression, value: '/item/[0-9]+' }, headers: [{ name: X-Env, value: a|b }] }]
      backendRefs: [{ name: next, port: 80 }]
    - backendRefs: [{ name: front, port: 80 }]
`

const services = (front: string): string =>
  service('cart', '192.0.2.1') + service('next', '192.0.2.2') + service('front', front)

async function write(rules: string, front: string): Promise<void> {
  await mkdir(join(repository, 'manifests', '.hidden'), { recursive: true })
  await writeFile(join(repository, 'manifests', 'gateway.yaml'), gateway)
  await writeFile(join(repository, 'manifests', 'services.yaml'), services(front))
  await writeFile(join(repository, 'manifests', 'routes.yaml'), route(rules))
  await writeFile(join(repository, 'manifests', '.hidden', 'broken.yaml'), 'kind: [')
  await writeFile(join(repository, 'manifests', 'notes.txt'), 'no manifest')
}

beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'landfall-diff-'))
  await git('init', '--quiet', '--initial-branch=main')
  await writeFile(join(repository, 'README'), 'before there were manifests')
  await git('add', '.')
  await git('commit', '--quiet', '-m', 'begin')
  await git('tag', 'begin')
  await write(oldRules, '192.0.2.3')
  await git('add', '.')
  await git('commit', '--quiet', '-m', 'old')
  await git('tag', 'old')
  await write(newRules, '192.0.2.4')
  await git('add', '.')
  await git('commit', '--quiet', '-m', 'new')
})
afterAll(() => rm(repository, { recursive: true }))

const golden = `Gateway shop/web
  - HTTPRoute shop/shop rule 1, in favour of HTTPRoute shop/shop rule 2
      GET http://shop.example.com/old
      - 302 to http://shop.example.com/
      + shop/front:80
  + HTTPRoute shop/shop rule 1, in place of HTTPRoute shop/shop rule 2
      GET http://shop.example.com/item/0 -H 'x-env: a|b'
      - shop/front:80
      + shop/next:80
  ~ HTTPRoute shop/shop rule 0: backends, timeouts
      GET http://shop.example.com/cart
      - shop/cart:80
      - timeouts: none
      + 90 % shop/cart:80, 10 % shop/next:80
      + timeouts: 10s for the request
  ~ backend shop/front:80
      GET http://shop.example.com/
      - shop/front:80
      - endpoints: shop/front:80 http/1.1 at 192.0.2.3:8080
      + shop/front:80
      + endpoints: shop/front:80 http/1.1 at 192.0.2.4:8080

1 rule added, 1 rule removed, 1 rule changed, 1 backend changed
`

test('a change is told rule by rule with a request for each, and ends with 1', async () => {
  expect(await diff('old', 'main', '-f', 'manifests')).toEqual({ code: 1, stdout: golden, stderr: '' })
})

test('revisions, paths in revisions, directories and published tables are compared with each other', async () => {
  await git('checkout', '--quiet', 'old')
  expect((await runThere(landfall, ['publish', '-f', 'manifests', '--to', 'dir:store'])).code).toBe(0)
  await git('checkout', '--quiet', 'main')
  for (const args of [
    ['old', '-f', 'manifests/'],
    ['git:old:manifests', 'git:HEAD:manifests'],
    ['git:HEAD~1:manifests', 'manifests'],
    ['dir:store', 'manifests'],
    ['dir:store', 'main', '-f', 'manifests/gateway.yaml', 'manifests/services.yaml', 'manifests/routes.yaml'],
  ]) {
    expect([args, await diff(...args)]).toEqual([args, { code: 1, stdout: golden, stderr: '' }])
  }
  await rm(join(repository, 'store'), { recursive: true })
})

test('what does not differ ends with 0', async () => {
  const nothing = { code: 0, stdout: 'no request changes its fate\n', stderr: '' }
  expect(await diff('manifests', 'manifests')).toEqual(nothing)
  expect(await diff('HEAD', '-f', 'manifests')).toEqual(nothing)
  expect((await diff('HEAD', '-f', 'manifests', '-o', 'markdown')).stdout).toBe(
    '### Landfall: no request changes its fate\n',
  )
})

test('git is asked for objects only: what is in the work tree stays, and does not count', async () => {
  const path = join(repository, 'manifests', 'routes.yaml')
  await writeFile(path, 'not even a manifest: [')
  try {
    expect((await diff('old', 'HEAD', '-f', 'manifests')).stdout).toBe(golden)
    expect(await readFile(path, 'utf8')).toBe('not even a manifest: [')
    expect(await git('status', '--porcelain')).toBe('M manifests/routes.yaml')
    const refused = await diff('old', '-f', 'manifests')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(
      /routes\.yaml:1: .*\nlandfall: the manifests of NEW have 1 error; nothing was compared/s,
    )
    const mended = await diff('manifests', 'git:HEAD:manifests')
    expect(mended.code).toBe(1)
    expect(mended.stderr).toContain('the manifests of OLD have 1 error, and are compared as far as they are right')
  } finally {
    await git('checkout', '--quiet', '--', 'manifests')
  }
})

test('from before there were manifests everything is new', async () => {
  const { code, stdout, stderr } = await diff('begin', 'old', '-f', 'manifests')
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: `Gateway shop/web, which is new
  + listener http, with 3 rules
      GET http://shop.example.com/
      - 404 no-listener
      + shop/front:80

1 listener added
`,
    stderr: 'landfall: there are no manifests at manifests in begin\n',
  })
})

test('-o markdown is a table for the comment of a pull request, in which nothing of the manifests is markup', async () => {
  const { code, stdout } = await diff('old', 'main', '-f', 'manifests', '-o', 'markdown')
  expect(code).toBe(1)
  expect(stdout).toBe(`### Landfall: 1 rule added, 1 rule removed, 1 rule changed, 1 backend changed

**Gateway shop/web**

| what | for example | before | after |
| --- | --- | --- | --- |
| removed: HTTPRoute shop/shop rule 1, in favour of HTTPRoute shop/shop rule 2 | \`GET http://shop.example.com/old\` | \`302 to http://shop.example.com/\` | \`shop/front:80\` |
| added: HTTPRoute shop/shop rule 1, in place of HTTPRoute shop/shop rule 2 | \`GET http://shop.example.com/item/0 -H 'x-env: a\\|b'\` | \`shop/front:80\` | \`shop/next:80\` |
| changed: HTTPRoute shop/shop rule 0: backends, timeouts | \`GET http://shop.example.com/cart\` | \`shop/cart:80\`<br>\`timeouts: none\` | \`90 % shop/cart:80, 10 % shop/next:80\`<br>\`timeouts: 10s for the request\` |
| changed: backend shop/front:80 | \`GET http://shop.example.com/\` | \`shop/front:80\`<br>\`endpoints: shop/front:80 http/1.1 at 192.0.2.3:8080\` | \`shop/front:80\`<br>\`endpoints: shop/front:80 http/1.1 at 192.0.2.4:8080\` |
`)
})

test('-o json has the request and both fates in full', async () => {
  const { code, stdout } = await diff('old', 'main', '-f', 'manifests', '-o', 'json')
  expect(code).toBe(1)
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({ differs: true, isComplete: true })
  expect(report.gateways).toHaveLength(1)
  expect(report.gateways[0].changes[2]).toMatchObject({
    kind: 'rule-changed',
    facets: ['backends', 'timeouts'],
    hostnames: ['shop.example.com'],
    request: {
      method: 'GET',
      scheme: 'http',
      authority: 'shop.example.com',
      port: 80,
      path: '/cart',
      query: '',
      headers: {},
    },
    before: {
      rule: { route: 'HTTPRoute shop/shop', rule: 0, ruleName: '' },
      answer: 'shop/cart:80',
      fate: [{ share: 1, outcome: { type: 'forward', backend: { key: 'shop/cart:80' }, requestTimeout: 0 } }],
    },
    after: { answer: '90 % shop/cart:80, 10 % shop/next:80' },
  })
})

test.for<[string, readonly string[], RegExp]>([
  ['one version alone', ['manifests'], /with what\?/],
  ['a path that is not there', ['nowhere', 'manifests'], /there is no nowhere; for a git revision write git:REV:PATH/],
  ['a revision that git does not know', ['nothing', 'main', '-f', 'manifests'], /git knows no revision "nothing"/],
  ['an option in place of a revision', ['git:--all:manifests', 'manifests'], /git knows no revision "--all"/],
  [
    'new manifests that are not there',
    ['old', 'begin', '-f', 'manifests'],
    /there are no manifests at manifests in begin/,
  ],
  ['the standard input twice', ['-', '-'], /holds one of the two/],
  ['a format that is none', ['old', 'main', '-f', 'manifests', '-o', 'yaml'], /json, markdown/],
])('%s is misuse, and ends with 2', async ([, args, message]) => {
  const { code, stdout, stderr } = await diff(...args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(message)
})
