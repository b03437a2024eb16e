import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gatewayClass, service } from '../control/route-tests/manifest-fixture.ts'
import { ask } from '../examples/serve.ts'
import { freePort, listenOnFreePort } from './free-port.ts'
import { echo, startOrigin } from './origins.ts'
import { landfall, type Output, run as runClient } from './serve-rig.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-cli-'))
})
afterAll(() => rm(directory, { recursive: true }))

const run = (
  args: readonly string[],
  { stdin = '', env = {} }: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Output> => runClient(landfall, args, stdin, { env })

const wrong = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
spec:
  rules:
    - matches:
        - path:
            type: Prefix
            value: /x
`

test('validate names file, line, object and field, says what would be right, and exits with 1', async () => {
  const { code, stdout } = await run(['validate', '-f', '-'], { stdin: wrong })
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /^error stdin:9: HTTPRoute default\/web spec\.rules\[0\]\.matches\[0\]\.path\.type: .*PathPrefix/m,
  )
  expect((await run(['validate', '-f', 'examples/quickstart'])).code).toBe(0)
})

test('validate -o json is for machines', async () => {
  const { code, stdout } = await run(['validate', '-f', '-', '-o', 'json'], { stdin: wrong })
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toEqual([
    expect.objectContaining({
      severity: 'error',
      file: 'stdin',
      line: 9,
      kind: 'HTTPRoute',
      namespace: 'default',
      name: 'web',
    }),
  ])
})

test('there are no colours in a pipe', async () => {
  const { stdout } = await run(['status', '-f', 'examples/cross-namespace'])
  expect(stdout).not.toContain('\u001b')
})

test('status -o json is a list of objects with their status', async () => {
  const { stdout } = await run(['status', '-f', 'examples/cross-namespace', '-o', 'json'])
  const objects: { kind: string; metadata: { name: string; namespace?: string }; status: { parents?: unknown[] } }[] =
    JSON.parse(stdout)
  const route = objects.find(({ kind, metadata }) => kind === 'HTTPRoute' && metadata.namespace === 'team-b')
  expect(route?.status.parents).toMatchObject([
    {
      controllerName: 'landfall.dev/edge-controller',
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'Accepted', status: 'False', reason: 'NotAllowedByListeners' }),
      ]),
    },
  ])
})

async function filesIn(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const hashed = await Promise.all(
    files.map(
      async (file) =>
        [
          file.slice(path.length),
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
        ] as const,
    ),
  )
  return Object.fromEntries(hashed.sort())
}

test('compile writes the same bytes for the same manifests, and leaves nothing of another compile', async () => {
  const [one, two] = [join(directory, 'one'), join(directory, 'two')]
  await run(['compile', '-f', 'examples/canary', '-o', one])
  await run(['compile', '-f', 'examples/quickstart', '-o', one])
  await run(['compile', '-f', 'examples/quickstart', '-o', two])
  const files = await filesIn(one)
  expect(Object.keys(files)).toContain('/gateway/shop/web')
  expect(files).toEqual(await filesIn(two))
})

test('publish says what changes, does it, and writes nothing the second time', async () => {
  const store = `dir:${join(directory, 'store')}`
  const dry = await run(['publish', '-f', 'examples/quickstart', '--to', store, '--dry-run'])
  expect(dry.stdout).toMatch(/\+ HTTPRoute shop\/storefront\n[\s\S]*would write 3 entries/)
  expect((await run(['publish', '-f', 'examples/quickstart', '--to', store])).stdout).toMatch(/wrote 3 entries/)
  expect((await run(['publish', '-f', 'examples/quickstart', '--to', store])).stdout).toMatch(/nothing to write/)

  const edited = join(directory, 'edited')
  await cp('examples/quickstart', edited, { recursive: true })
  const routes = await readFile(join(edited, 'routes.yaml'), 'utf8')
  await writeFile(join(edited, 'routes.yaml'), routes.replace('value: /cart', 'value: /basket2'))
  const { stdout } = await run(['publish', '-f', edited, '--to', store, '-o', 'json'])
  const report = JSON.parse(stdout)
  expect(report.changes).toMatchObject([
    { gateway: 'shop/web', routes: { added: [], changed: ['HTTPRoute shop/storefront'], removed: [] } },
  ])
  expect(report.written).toHaveLength(2)
})

test('publish refuses manifests with errors, and writes nothing', async () => {
  const store = join(directory, 'refused')
  const { code, stderr } = await run(['publish', '-f', '-', '--to', `dir:${store}`], { stdin: wrong })
  expect(code).toBe(2)
  expect(stderr).toMatch(/stdin:9: .*\n[\s\S]*nothing was written/)
  await expect(readdir(store)).rejects.toThrow('ENOENT')
})

test('publish --to cloudflare says which variable is missing', async () => {
  const { code, stderr } = await run(['publish', '-f', 'examples/quickstart', '--to', 'cloudflare'], {
    env: { CLOUDFLARE_ACCOUNT_ID: 'a', CLOUDFLARE_API_TOKEN: '' },
  })
  expect([code, stderr]).toEqual([2, expect.stringContaining('CLOUDFLARE_API_TOKEN')])
})

test.for([
  [[]],
  [['nonsense']],
  [['status']],
  [['dev', '-f', 'x', '--port', 'http']],
  [['publish', '-f', 'examples/quickstart', '--to', 'ftp']],
])('landfall %j is a usage error: exit code 2, on stderr', async ([args]) => {
  const { code, stderr, stdout } = await run(args ?? [])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toBe('')
})

const commands = [
  ...['validate', 'status', 'compile', 'explain', 'test', 'diff', 'publish', 'keys', 'dev', 'serve', 'connector'],
  ...['bgp', 'l2', 'pools', 'control', 'push', 'rollback', 'versions'],
]

test('every command has help with examples', async () => {
  const { stdout } = await run(['--help'])
  const names = [...stdout.matchAll(/^ {2}([a-z0-9]+) /gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
  expect(names).toEqual(commands)
  for (const name of names) {
    expect((await run([name, '--help'])).stdout).toMatch(/Examples?:\n {2}\$ /)
  }
})

const manifest = (gatewayPort: number, originPort: number, path: string): string => `${gatewayClass}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: landfall
  listeners: [{name: http, protocol: HTTP, port: ${gatewayPort}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: web}]
  rules:
    - matches: [{path: {value: ${path}}}]
      backendRefs: [{name: web, port: 80}]
---
${service('web', { endpointPorts: `{port: ${originPort}}`, address: '127.0.0.1' })}`

test('dev serves, applies changes within a second, outlives bad manifests, and stops clean', async () => {
  const origin = await startOrigin(echo)
  const [port, other] = [await freePort(), await freePort()]
  const files = await mkdtemp(join(directory, 'dev-'))
  const file = join(files, 'all.yaml')
  await writeFile(file, manifest(port, origin.endpoint.port, '/one'))
  const child = spawn(landfall, ['dev', '-f', files], { cwd: files, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const status = (path: string, at = port): Promise<number> =>
    ask(at, `http://127.0.0.1:${at}${path}`).then(
      (answer) => answer.status,
      () => 0,
    )
  try {
    await expect.poll(() => status('/one'), { timeout: 20_000 }).toBe(200)
    expect(printed).toMatch(new RegExp(`default/web +http +HTTP ${port} +\\* +1 +http://127.0.0.1:${port}`))

    await writeFile(file, manifest(port, origin.endpoint.port, '/two'))
    const changed = performance.now()
    await expect.poll(() => status('/two'), { timeout: 5_000, interval: 20 }).toBe(200)
    expect(performance.now() - changed).toBeLessThan(1_000)
    expect(await status('/one')).toBe(404)

    await writeFile(file, manifest(port, origin.endpoint.port, '/three').replace('value: /three', 'value: three'))
    await expect.poll(() => printed, { timeout: 5_000 }).toMatch(/error .*all\.yaml:\d+: HTTPRoute default\/web/)
    expect(await status('/two')).toBe(200)

    await writeFile(file, manifest(other, origin.endpoint.port, '/four'))
    await expect.poll(() => status('/four', other), { timeout: 5_000 }).toBe(200)
    expect(await status('/two')).toBe(0)
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    await origin.close()
  }
  expect(child.exitCode).toBe(0)
  expect(await status('/four', other)).toBe(0)
})

test('dev says why it cannot listen', async () => {
  const taken = createServer()
  const port = await listenOnFreePort(taken)
  const files = await mkdtemp(join(directory, 'taken-'))
  await writeFile(join(files, 'all.yaml'), manifest(port, 9, '/'))
  const child = spawn(landfall, ['dev', '-f', files], { cwd: files, stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await expect.poll(() => printed, { timeout: 20_000 }).toContain('another process listens there already')
  child.kill('SIGTERM')
  await once(child, 'exit')
  taken.close()
})

test('connector wants its key and its endpoints, then listens and stops clean', async () => {
  const files = await mkdtemp(join(directory, 'connector-'))
  await writeFile(join(files, 'all.yaml'), manifest(8080, 9, '/'))
  const without = await run(['connector', '-f', files], { env: { LANDFALL_CONNECTOR_KEY: 'k1:short' } })
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('LANDFALL_CONNECTOR_KEY has to be set')])
  const env = { ...process.env, LANDFALL_CONNECTOR_KEY: 'k1:a-secret-of-sixteen' }
  const nothing = await run(['connector'], { env })
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('-f PATH, or --store')])

  const child = spawn(landfall, ['connector', '-f', files, '--listen', '127.0.0.1:0'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await expect
    .poll(() => printed, { timeout: 20_000 })
    .toMatch(/1 endpoint in the table\n[\s\S]*connector listens on 127\.0\.0\.1:\d+/)
  const port = Number(/listens on 127\.0\.0\.1:(\d+)/.exec(printed)?.[1])
  expect((await ask(port, `http://127.0.0.1:${port}/`)).status).toBe(403)
  child.kill('SIGTERM')
  await once(child, 'exit')
  expect(child.exitCode).toBe(0)
})

test('explain says what a request meets, where it is written, and why the nearest others lost', async () => {
  const { code, stdout } = await run([
    'explain',
    '-f',
    'examples/canary',
    '-H',
    'X-Canary: no',
    'http://canary.localhost/x',
  ])
  expect(code).toBe(0)
  expect(stdout).toContain('route     HTTPRoute demo/canary rule 1 "split"  examples/canary/routes.yaml:20')
  expect(stdout).toContain("header x-canary is 'no', wants 'always'")
  expect(stdout).toContain('backend   demo/web-v2:80 (10 % of the requests)')
})

test('explain -o json has the decision, and a refusal is exit code 1', async () => {
  const args = ['explain', '-f', 'examples/quickstart', '-o', 'json', '--gateway', 'shop/web', '--port', '8080']
  const cart = await run([...args, 'http://shop.localhost/cart'])
  expect([cart.code, JSON.parse(cart.stdout)]).toEqual([
    0,
    expect.objectContaining({
      gateway: 'shop/web',
      decision: expect.objectContaining({ type: 'forward', path: '/cart' }),
      winner: expect.objectContaining({ route: 'HTTPRoute shop/storefront', rule: 0, ruleName: 'cart' }),
    }),
  ])
  const nowhere = await run([...args, 'http://elsewhere/'])
  expect([nowhere.code, JSON.parse(nowhere.stdout).decision.why]).toEqual([1, 'no-route'])
  const unknown = await run([
    'explain',
    '-f',
    'examples/quickstart',
    '--gateway',
    'shop/none',
    'http://shop.localhost/',
  ])
  expect([unknown.code, unknown.stderr]).toEqual([2, 'landfall: there is no Gateway shop/none; there are shop/web\n'])
})
