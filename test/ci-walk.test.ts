import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DirectoryStore } from '../control/publish/directory.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { ControlProcess } from './control-process.ts'
import { freePort } from './free-port.ts'
import type { Output } from './serve-rig.ts'

// docs/ci.md from end to end: a repository, its tests, what changes, a push, the Worker that serves it, and the way back.

const tests = `
apiVersion: landfall.dev/v1
kind: RouteTests
defaults: { host: shop.localhost }
tests:
  - { name: the old address leads to the cart, request: /basket, expect: { status: 301, redirect: "http://shop.localhost:8080/cart" } }
  - { name: the cart has its own backend, request: /cart/items, expect: { rule: cart } }
`

let directory = ''
let control: ControlProcess
let workerd: Workerd
let kv: ReturnType<typeof createKvServer>
let port = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-ci-'))
  control = new ControlProcess(directory)
  await control.start()
  await mkdir(join(directory, 'site'))
  await cp('examples/quickstart', join(directory, 'site/manifests'), { recursive: true })
  await writeFile(join(directory, 'site/tests.yaml'), tests)
  git('init', '--quiet', '--initial-branch', 'main')
  commit('the site as it is')
  await startWorker()
}, 60_000)

afterAll(async () => {
  await workerd?.close()
  kv?.closeAllConnections()
  kv?.close()
  await control?.end('SIGKILL')
  await rm(directory, { recursive: true })
})

/** The Worker's bundle on workerd, which reads the service's store. */
async function startWorker(): Promise<void> {
  const store = new DirectoryStore(control.store)
  kv = createKvServer(store)
  kv.listen(join(directory, 'kv.sock'))
  await once(kv, 'listening')
  await writeFile(join(directory, 'worker.js'), await bundleWorker())
  port = await freePort()
  workerd = new Workerd(directory, () => {})
  await workerd.serve({
    sockets: [{ name: 'http', address: `127.0.0.1:${port}`, props: { gateways: ['shop/web'], port: 8080 } }],
    storeAddress: `unix:${join(directory, 'kv.sock')}`,
    connectorAddress: `unix:${join(directory, 'none.sock')}`,
    variables: { REFRESH_SECONDS: '1' },
  })
}

const git = (...args: readonly string[]): string =>
  execFileSync('git', [...args], { cwd: join(directory, 'site'), encoding: 'utf8' })

function commit(message: string): void {
  git('add', '--all')
  git('-c', 'user.name=ci', '-c', 'user.email=ci@example.com', 'commit', '--quiet', '--message', message)
}

const run = (...args: readonly string[]): Promise<Output> => control.run(args, { cwd: join(directory, 'site') })

/** Where the Worker sends who asks for the old address. */
async function redirectOf(): Promise<string | undefined> {
  const asked = request({ host: '127.0.0.1', port, path: '/basket', headers: { host: 'shop.localhost' } }).end()
  const [response] = await once(asked, 'response')
  response.resume()
  return response.headers.location
}

/** Milliseconds until the Worker sends there. */
async function workerSends(to: string | undefined): Promise<number> {
  const since = performance.now()
  while ((await redirectOf()) !== to) {
    if (performance.now() - since > 20_000) throw new Error(`the Worker sends to ${await redirectOf()}, not to ${to}`)
    await sleep(10)
  }
  return performance.now() - since
}

const table = (): Promise<string> => control.table('shop/web')

test('a change goes from git to the Worker, a bad one does not, and a rollback brings back what was', async () => {
  expect(await run('test', '-f', 'manifests', '-t', 'tests.yaml')).toMatchObject({ code: 0 })
  expect(await run('push', 'site', '-f', 'manifests')).toMatchObject({ code: 0 })
  await workerSends('http://shop.localhost:8080/cart')
  const before = await table()

  const file = join(directory, 'site/manifests/routes.yaml')
  const routes = await readFile(file, 'utf8')
  await writeFile(file, routes.replace('replaceFullPath: /cart', 'replaceFullPath: /trolley'))
  const failed = await run('test', '-f', 'manifests', '-t', 'tests.yaml')
  expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining('the old address leads to the cart')])
  await writeFile(join(directory, 'site/tests.yaml'), tests.replace('localhost:8080/cart"', 'localhost:8080/trolley"'))
  expect(await run('test', '-f', 'manifests', '-t', 'tests.yaml')).toMatchObject({ code: 0 })

  const diff = await run('diff', 'HEAD', '-f', 'manifests')
  expect([diff.code, diff.stdout]).toEqual([1, expect.stringMatching(/\/basket[\s\S]*\/trolley/)])
  commit('the cart is a trolley now')

  const pushed = performance.now()
  expect(await run('push', 'site', '-f', 'manifests')).toMatchObject({ code: 0 })
  const written = performance.now()
  const seen = await workerSends('http://shop.localhost:8080/trolley')
  process.stderr.write(
    `push ${Math.round(written - pushed)} ms, in effect at the Worker ${Math.round(seen)} ms later\n`,
  )

  const after = await table()
  await writeFile(file, routes.replace('statusCode: 301', 'statusCode: 299'))
  const line = routes.split('\n').findIndex((text) => text.includes('statusCode: 301')) + 1
  const bad = await run('push', 'site', '-f', 'manifests')
  expect([bad.code, bad.stderr]).toEqual([
    1,
    expect.stringContaining(`manifests/routes.yaml:${line}: HTTPRoute shop/storefront`),
  ])
  expect(await table()).toBe(after)

  expect(await run('rollback', 'site')).toMatchObject({ code: 0 })
  expect(await table()).toBe(before)
  await workerSends('http://shop.localhost:8080/cart')
}, 120_000)
