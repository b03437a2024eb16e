import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ControlProcess } from './control-process.ts'
import type { Output } from './serve-rig.ts'

// The command line of the control service, with real processes, as a CI job has it.

let directory = ''
let control: ControlProcess

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-control-'))
  control = new ControlProcess(directory)
  await control.start()
  await cp('examples/quickstart', join(directory, 'manifests'), { recursive: true })
}, 60_000)

afterAll(async () => {
  await control.end('SIGKILL')
  await rm(directory, { recursive: true })
})

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Output> => control.run(args, { env })

const table = (): Promise<string> => control.table('shop/web')

test('push says what changes, does it, and rollback brings the old table back byte for byte', async () => {
  const dry = await run(['push', 'shop', '-f', 'manifests', '--dry-run'])
  expect(dry).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\+ HTTPRoute shop\/storefront\n[\s\S]*would write 3 entries/),
  })
  expect(await table()).toBe('')
  const first = await run(['push', 'shop', '-f', 'manifests', '--if-version', '0'])
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/wrote 3 entries .*\nshop is at version 1; audit \d+:[0-9a-f]{64}\n$/),
  })
  const before = await table()

  const file = join(directory, 'manifests/routes.yaml')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('value: /cart', 'value: /basket'))
  expect((await run(['push', 'shop', '-f', 'manifests', '-o', 'json'])).stdout).toContain('"version": 2')
  expect(await table()).not.toBe(before)
  expect((await run(['push', 'shop', '-f', 'manifests', '--if-version', '1'])).code).toBe(1)

  const back = await run(['rollback', 'shop'])
  expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining('shop is at version 3') })
  expect(await table()).toBe(before)
  expect((await run(['versions', 'shop'])).stdout).toMatch(
    /3 +published .* as version 1\n2 +published .*\n1 +published /,
  )
}, 60_000)

test('a bad push names file and line as the job knows them, exits with 1 and changes nothing', async () => {
  const before = await table()
  await writeFile(
    join(directory, 'bad.yaml'),
    'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: x}\nspec: {rules: 7}\n',
  )
  const { code, stderr } = await run(['push', 'shop', '-f', 'manifests', 'bad.yaml'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error bad\.yaml:4: HTTPRoute default\/x spec\.rules: /m)
  expect(await table()).toBe(before)
})

test('a file that the service would leave out is not pushed without a word', async () => {
  await writeFile(join(directory, 'gateway.txt'), 'kind: Gateway')
  const { code, stderr } = await run(['push', 'shop', '-f', 'manifests', 'gateway.txt'])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('gateway.txt: the service reads files of the names *.yaml'),
  ])
})

test('a token that is missing, or does not hold, is exit code 2', async () => {
  const wrong = await run(['versions', 'shop'], { LANDFALL_CONTROL_TOKEN: `${control.token.slice(0, -2)}xx` })
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('refused (401)')])
  expect((await run(['versions', 'shop'], { LANDFALL_CONTROL_TOKEN: '' })).stderr).toContain(
    'LANDFALL_CONTROL_TOKEN, or --token-file',
  )
}, 60_000)

test('the log, the process list and the database have no secret', async () => {
  const secret = control.token.split('_').slice(2).join('_')
  const commandLine = await readFile(`/proc/${control.pid}/cmdline`, 'utf8')
  const database = await readFile(join(control.data, 'control.db'), 'latin1')
  const log = await readFile(join(control.data, 'control.db-wal'), 'latin1')
  expect([commandLine, control.logged, database, log].join('')).not.toContain(secret)
  expect(control.logged).toContain(control.token.split('_')[1])
})

test('the audit log is as it was written, and its head outlives a change of it', async () => {
  const verified = await run(['control', 'audit', 'verify', '--data', control.data])
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/entries, as written; head \d+:/) })
  const head = /head (\d+):/.exec(verified.stdout)?.[1]
  const forged = await run([
    'control',
    'audit',
    'verify',
    '--data',
    control.data,
    '--head',
    `${head}:${'0'.repeat(64)}`,
  ])
  expect([forged.code, forged.stdout]).toEqual([1, expect.stringContaining('is another than the head that was kept')])
})

test('diff compares versions of a set with each other and with files, and never takes a refusal for a difference', async () => {
  const versions = await run(['diff', 'set:shop@1', 'set:shop@2'])
  expect([versions.code, versions.stdout]).toEqual([1, expect.stringContaining('Gateway shop/web')])
  const same = await run(['diff', 'set:shop', 'set:shop', '-o', 'json'])
  expect([same.code, JSON.parse(same.stdout)]).toEqual([0, { differs: false, isComplete: true, gateways: [] }])
  // They are what was pushed as version 2.
  const files = await run(['diff', 'set:shop@2', '-f', 'manifests', '-o', 'markdown'])
  expect([files.code, files.stdout]).toEqual([0, '### Landfall: no request changes its fate\n'])
  expect((await run(['diff', 'set:shop', 'manifests', '-o', 'markdown'])).stdout).toMatch(/^### Landfall: 2 rules/)
  const lost = await run(['diff', 'set:shop@99', 'set:shop'])
  expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('no version 99 of shop')])
  const mixed = await run(['diff', 'manifests', 'set:shop'])
  expect([mixed.code, mixed.stderr]).toEqual([2, expect.stringContaining('same set as OLD')])
}, 60_000)

test('the service ends with 0 when it is asked to, and listens on loopback only', async () => {
  expect(control.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(await control.end('SIGTERM')).toBe(0)
})

test('the templates for CI are YAML', async () => {
  for (const file of ['action.yml', 'gitlab.yml']) {
    expect(parse(await readFile(resolve('deploy/ci', file), 'utf8'))).toBeTypeOf('object')
  }
})
