import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gateway, gatewayClass, http, route } from './serve-manifests.ts'
import { type Command, landfall, Site } from './serve-rig.ts'

const port = 8080

let site: Site

beforeEach(async () => {
  site = await Site.create()
  await site.write('site', [
    gatewayClass,
    gateway(site.address, [http(port)]),
    route('HTTPRoute', 'none', { rules: [{}] }),
  ])
})
afterEach(() => site.close())

const servingAt = (admin: string): Command => [landfall, 'serve', '-f', '{dir}', '--admin', admin]

test('a second process does not share the admin address of the first, says what to do, and takes none of its requests', async () => {
  const admin = `${site.address}:${randomInt(20_000, 32_000)}`
  const first = await site.start([port], servingAt(admin))
  const second = site.spawn(servingAt(admin))
  expect(await second.ended()).toBe(2)
  expect(second.stderr).toContain(
    `address already in use ${admin}; health and metrics need an address of their own: --admin`,
  )
  const third = await site.start([port])
  expect(await third.admin('/readyz')).toBe('ready\n')
  await first.stop()
  expect((await site.get(port)).status).toBe(500)
})
