import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { DirectoryStore } from '../control/publish/directory.ts'
import { versionsAnswer } from '../control/service/answers.ts'
import { gateway } from '../control/service/service-fixture.ts'
import { Shard } from '../proto/gen/route_table.ts'
import { StoredTablesReader } from '../serve/stored-tables.ts'
import { ControlProcess } from './control-process.ts'

const kills = 50
const hosts = 200

const directory = await mkdtemp(join(tmpdir(), 'landfall-crash-'))
const control = new ControlProcess(directory)

afterAll(async () => {
  await control.end('SIGKILL')
  await rm(directory, { recursive: true })
})

/** Every host leads to the number of the push. */
const manifests = (number: number): string =>
  [
    gateway,
    ...Array.from(
      { length: hosts },
      (_, host) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route-${host}, namespace: infra}
spec:
  parentRefs: [{name: web}]
  hostnames: [host-${host}.example.com]
  rules:
    - name: ${'n'.repeat(63)}
      filters: [{type: RequestRedirect, requestRedirect: {hostname: push-${number}.example.com}}]
`,
    ),
  ].join('---\n')

/** The pushes that the store's table is made of, and what a reader could not take. */
async function seen(
  reader: StoredTablesReader,
): Promise<{ readonly pushes: ReadonlySet<string>; readonly faults: readonly string[] }> {
  const { shards, faults } = await reader.read()
  const texts = [...shards.values()].flatMap((bytes) => JSON.stringify(Shard.decode(bytes)).match(/push-\d+/g) ?? [])
  return { pushes: new Set(texts), faults: faults.filter((fault) => !fault.includes('the store has no tables')) }
}

test(`a service that is killed at ${kills} random points of a push shows nobody a mix, and loses nothing`, async () => {
  const store = new DirectoryStore(control.store)
  const reader = new StoredTablesReader(store)
  let reading = true
  const mixes: string[] = []
  const looking = (async () => {
    while (reading) {
      const { pushes, faults } = await seen(reader)
      if (pushes.size > 1 || faults.length > 0) mixes.push([...pushes, ...faults].join(' '))
      await sleep(5)
    }
  })()

  await control.start()
  let longest = 0
  let acknowledged = 0
  let interrupted = 0
  let unpublished = 0
  for (let number = 1; number <= kills; number++) {
    const since = performance.now()
    const pushing = control
      .ask('/v1/sets/infra', 'PUT', manifests(number))
      .then((response) => response.status)
      .catch(() => 0)
    const killing =
      number === 1 ? undefined : sleep(randomInt(Math.ceil(longest * 1.1))).then(() => control.end('SIGKILL'))
    const status = await pushing
    if (status === 200) acknowledged = number
    else interrupted++
    if (number === 2 || number === 1) longest = Math.max(longest, performance.now() - since)
    await killing
    const before = await seen(new StoredTablesReader(store))
    if (killing !== undefined) await control.start()

    const { versions } = versionsAnswer.parse(await (await control.ask('/v1/sets/infra/versions')).json())
    expect(versions[0]?.state).toBe('published')
    const { pushes, faults } = await seen(new StoredTablesReader(store))
    expect([pushes.size, faults]).toEqual([1, []])
    const [push = ''] = pushes
    const inEffect = Number(push.slice('push-'.length))
    expect(inEffect).toBeGreaterThanOrEqual(acknowledged)
    expect(inEffect).toBeLessThanOrEqual(number)
    if (!before.pushes.has(push)) unpublished++
  }
  expect((await control.ask('/v1/sets/infra', 'PUT', manifests(kills + 1))).status).toBe(200)
  expect((await seen(new StoredTablesReader(store))).pushes).toEqual(new Set([`push-${kills + 1}`]))
  reading = false
  await looking
  expect(mixes).toEqual([])
  // Kills that met no push would prove nothing.
  expect(interrupted).toBeGreaterThan(kills / 4)
  console.log(`${interrupted} of ${kills} pushes were cut short, ${unpublished} were finished by the next start`)
  expect(await control.end('SIGTERM')).toBe(0)
}, 900_000)
