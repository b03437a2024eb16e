import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Project } from '../control/project.ts'
import { DirectoryStore } from '../control/publish/directory.ts'
import { encodeTable } from '../control/publish/encode.ts'
import { publish } from '../control/publish/publish.ts'
import type { Signer } from '../control/publish/sign-key.ts'
import { splitEntry } from '../engine/signed-root.ts'
import { thisMachine } from '../serve/site.ts'
import { gateway, gatewayClass, http, route } from './serve-manifests.ts'
import { type Command, landfall, type Running, run, Site } from './serve-rig.ts'
import { forgeries, type Loot, type SigningKey, signatureOf, signedAgain, signingKey } from './table-forgeries.ts'

// What docs/security.md says of `landfall serve --table-key`, with the processes that people run.

const port = 8080
const key = 'gateway/test/web'

let site: Site
let store: DirectoryStore
let one: SigningKey
let two: SigningKey

beforeEach(async () => {
  site = await Site.create()
  store = new DirectoryStore(fileOf('store'))
  ;[one, two] = await Promise.all([signingKey(), signingKey()])
})
afterEach(() => site.close())

const fileOf = (name: string): string => join(site.directory, name)

/** Two Gateways, of which "web" redirects to `hostname`. */
async function write(hostname: string): Promise<void> {
  const redirect = { rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname } }] }] }
  await site.write('site', [
    gatewayClass,
    gateway(site.address, [http(port)]),
    { ...gateway(site.address, [http(9080)]), metadata: { name: 'other', namespace: 'test' } },
    route('HTTPRoute', 'redirect', redirect),
  ])
}

async function publishSigned(
  hostname: string,
  { signer }: { readonly signer: Signer | undefined } = one,
): Promise<readonly string[]> {
  await write(hostname)
  const { compiled } = await new Project([site.manifests], thisMachine()).read()
  const tables = compiled.tables.map((table) => {
    const encoded = encodeTable(table)
    if (!encoded.ok) throw new Error('too large')
    return encoded.table
  })
  return (await publish(store, tables, { now: Date.now, signer })).written
}

const command = (...more: readonly string[]): Command => [
  landfall,
  'serve',
  '--store',
  `dir:${fileOf('store')}`,
  '--admin',
  '{admin}',
  '--table-key',
  ...more,
]

const location = async (): Promise<string> => (await site.get(port)).location

const entry = async (of = key): Promise<Uint8Array> => (await store.get(of)) ?? new Uint8Array()

const problems = async (running: Running): Promise<number> =>
  Number(/^landfall_table_problems (\d+)$/m.exec(await running.admin('/metrics'))?.[1] ?? Number.NaN)

async function loot(): Promise<Loot> {
  await publishSigned('old.test')
  const older = await entry()
  await publishSigned('new.test')
  const { signer } = await signingKey()
  return { key, older, current: await entry(), other: await entry('gateway/test/other'), own: signer }
}

const put = (bytes: Uint8Array): Promise<void> => store.put(new Map([[key, bytes]]))

/** Resolves when the process has said so since `from`, a length of its log. */
const says = (running: Running, text: string, from = 0): Promise<void> =>
  running.until(() => running.stderr.slice(from).includes(text))

test('what a pinned key has signed is served, whatever comes in its place', async () => {
  const stolen = await loot()
  const running = await site.start([port], command(one.pinned))
  expect([await location(), await problems(running)]).toEqual(['http://new.test:8080/', 0])
  for (const { name, why, forge } of forgeries) {
    const from = running.stderr.length
    await put(await forge(stolen))
    await says(running, why, from).catch((error: Error) => expect.fail(`${name}: ${error.message}`))
    expect([await location(), await problems(running)], name).toEqual(['http://new.test:8080/', 1])
    await put(stolen.current)
    await says(running, 'no longer: ', from)
    expect(await problems(running), name).toBe(0)
  }
  const from = running.stderr.length
  await store.delete([key])
  await says(running, `${key}: is not in the store`, from)
  expect(await location()).toBe('http://new.test:8080/')
}, 90_000)

test('an older table is taken by who starts anew, unless it is below the floor or the newest is remembered', async () => {
  const { older, current } = await loot()
  const state = fileOf('sequences.json')
  const first = await site.start([port], command(one.pinned, '--table-state', state))
  expect(JSON.parse(await readFile(state, 'utf8'))).toMatchObject({ [key]: signatureOf(current).sequence })
  await first.stop()
  await put(older)

  const remembering = site.spawn(command(one.pinned, '--table-state', state))
  await says(remembering, 'was seen already')
  expect(await site.get(port)).toMatchObject({ status: 0 })
  await remembering.stop()

  const floor = String(signatureOf(current).sequence)
  const above = site.spawn(command(one.pinned, '--table-floor', floor))
  await says(above, `below the floor ${floor}`)
  await put(current)
  await above.until(() => site.accepts(port))
  expect(await location()).toBe('http://new.test:8080/')
  await above.stop()

  await put(older)
  await site.start([port], command(one.pinned))
  expect(await location()).toBe('http://old.test:8080/')
}, 60_000)

test('a table whose time is over is not taken, and one in use serves on', async () => {
  await publishSigned('new.test')
  const { sequence } = signatureOf(await entry())
  const running = await site.start([port], command(one.pinned))
  await put(
    await signedAgain(key, await entry(), one, {
      sequence: sequence + 1,
      notAfter: Math.ceil(Date.now() / 1000) + 1,
    }),
  )
  await says(running, 'was valid until')
  expect([await location(), await problems(running)]).toEqual(['http://new.test:8080/', 1])
  await running.stop()
  const anew = site.spawn(command(one.pinned))
  await says(anew, 'was valid until')
  expect(await site.get(port)).toMatchObject({ status: 0 })
})

test('a key is changed without a gap: pin both, sign with the new one, unpin the old one', async () => {
  await publishSigned('old.test')
  const before = await site.start([port], command(one.pinned))
  await publishSigned('new.test')
  await before.until(async () => (await location()) === 'http://new.test:8080/')
  const both = await site.start([port], command(one.pinned, two.pinned))
  await before.stop()
  // Also what has not changed.
  expect((await publishSigned('new.test', two)).toSorted()).toEqual(['gateway/test/other', key])
  await publishSigned('newer.test', two)
  await both.until(async () => (await location()) === 'http://newer.test:8080/')
  const after = await site.start([port], command(two.pinned))
  await both.stop()
  expect([await location(), await problems(after)]).toEqual(['http://newer.test:8080/', 0])
  // The old key is worth nothing any more.
  await publishSigned('leaked.test')
  await says(after, 'that key is not pinned')
  expect(await location()).toBe('http://newer.test:8080/')
}, 60_000)

test('an older table that is published again is served', async () => {
  await publishSigned('old.test')
  await publishSigned('new.test')
  const running = await site.start([port], command(one.pinned))
  await publishSigned('old.test')
  await running.until(async () => (await location()) === 'http://old.test:8080/')
})

test('a connector takes no endpoints that a pinned key has not signed', async () => {
  await publishSigned('new.test', { signer: undefined })
  const environment = { LANDFALL_CONNECTOR_KEY: 'k1:a-secret-of-tests' }
  const listen = ['--listen', `unix:${fileOf('connector.sock')}`]
  const connector = [landfall, 'connector', '--store', `dir:${fileOf('store')}`, ...listen, '--table-key', one.pinned]
  const running = site.spawn(connector, environment)
  await says(running, 'the root is not signed')
})

const toStore = (): readonly string[] => ['publish', '-f', site.manifests, '--to', `dir:${fileOf('store')}`]

test('keys come from files or the environment, and nobody else can read what is made', async () => {
  const generated = await run(landfall, ['keys', 'generate', fileOf('key')])
  const pinned = generated.stdout.trim()
  expect((await stat(fileOf('key'))).mode & 0o777).toBe(0o600)
  expect((await run(landfall, ['keys', 'public', fileOf('key')])).stdout.trim()).toBe(pinned)
  const again = await run(landfall, ['keys', 'generate', fileOf('key')])
  expect([again.code, again.stdout, again.stderr]).toEqual([2, '', expect.stringContaining('exists')])

  await write('file.test')
  const published = await run(landfall, [...toStore(), '--sign-key', fileOf('key'), '--valid-for', '30d'])
  const { sequence, notAfter, signatures } = signatureOf(await entry())
  expect(published.stdout).toContain(`sequence ${sequence} or higher`)
  expect(notAfter * 1000 - Date.now()).toBeGreaterThan(29 * 86_400_000)
  expect(signatures.map(({ keyId }) => keyId)).toEqual([pinned.split(':')[0]])
  await writeFile(fileOf('key.pub'), `${pinned}\n`)
  const running = await site.start([port], command(fileOf('key.pub')))

  await write('environment.test')
  const pem = await readFile(fileOf('key'), 'utf8')
  expect(await site.spawn([landfall, ...toStore()], { LANDFALL_SIGN_KEY: pem }).ended()).toBe(0)
  await running.until(async () => (await location()) === 'http://environment.test:8080/')
}, 60_000)

test('no command tells any of a private key', async () => {
  await publishSigned('new.test')
  const secret = one.pem.split('\n')[1] ?? ''
  expect(secret.length).toBeGreaterThan(40)
  await writeFile(fileOf('key'), one.pem)
  await writeFile(fileOf('damaged'), one.pem.replace(secret, `${secret.slice(0, 30)}!${secret.slice(30)}`))
  const runs = [
    await run(landfall, [...toStore(), '--sign-key', fileOf('key'), '-o', 'json']),
    await run(landfall, [...toStore(), '--sign-key', fileOf('damaged')]),
    await run(landfall, ['keys', 'public', fileOf('damaged')]),
    await run(landfall, ['serve', '--store', `dir:${fileOf('store')}`, '--table-key', fileOf('key')]),
  ]
  expect(runs.map(({ code }) => code)).toEqual([0, 2, 2, 2])
  for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain(secret.slice(0, 20))
}, 60_000)

test('who forgets the key is told, and does not publish what no reader would take', async () => {
  await publishSigned('old.test')
  const before = await entry()
  await write('new.test')
  const forgotten = await run(landfall, toStore())
  expect([forgotten.code, forgotten.stderr]).toEqual([2, expect.stringContaining('--sign-key signs these')])
  expect(await entry()).toEqual(before)
  expect((await run(landfall, [...toStore(), '--unsigned'])).code).toBe(0)
  expect(splitEntry(await entry()).signed).toBeUndefined()
})

test.for<[string, readonly string[], string]>([
  ['a floor without a key', ['--table-floor', '1'], 'need --table-key'],
  ['a state without a key', ['--table-state', '/tmp/x'], 'need --table-key'],
  ['a key that is none', ['--table-key', 'nonsense'], 'neither <key id>:<public key>'],
  ['a floor that is none', ['--table-key', 'x', '--table-floor', '-1'], 'write a sequence'],
])('%s is refused', async ([, flags, why]) => {
  await mkdir(fileOf('store'), { recursive: true })
  const { code, stderr } = await run(landfall, ['serve', '--store', `dir:${fileOf('store')}`, ...flags])
  expect([code, stderr]).toEqual([2, expect.stringContaining(why)])
})

test('a state that is damaged stops the start, instead of forgetting what was seen', async () => {
  await publishSigned('new.test')
  await writeFile(fileOf('state'), '{')
  const flags = ['--table-key', one.pinned, '--table-state', fileOf('state')]
  const { code, stderr } = await run(landfall, ['serve', '--store', `dir:${fileOf('store')}`, ...flags])
  expect([code, stderr]).toEqual([2, expect.stringContaining('has no sequences of tables')])
})
