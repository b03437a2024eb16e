import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { signerOf } from '../publish/sign-key.ts'
import { storedTables } from '../publish/stored.ts'
import { gateway, TestService } from './service-fixture.ts'

const hour = 3_600

test('what is published is signed, and signed anew before its time is over', async () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const service = await TestService.start({ publishing: { signer: await signerOf(pem), validFor: 2 * hour } })
  const signed = async () => (await storedTables(service.store)).get('gateway/infra/web')?.signed
  await service.push('infra', gateway)
  const first = await signed()
  expect(first?.notAfter).toBe(Math.floor(service.time / 1000) + 2 * hour)

  service.time += 0.5 * hour * 1000
  await service.service.publisher.renew()
  expect(await signed()).toEqual(first)
  service.time += hour * 1000
  await service.service.publisher.renew()
  expect((await signed())?.notAfter).toBe(Math.floor(service.time / 1000) + 2 * hour)
})

test('a rollback has a higher sequence than what it takes the place of', async () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const service = await TestService.start({ publishing: { signer: await signerOf(pem) } })
  const sequence = async () => (await storedTables(service.store)).get('gateway/infra/web')?.signed?.sequence ?? 0
  await service.push('infra', gateway)
  const first = await sequence()
  await service.push('infra', gateway.replace('port: 80', 'port: 81'))
  const second = await sequence()
  await service.ask('/v1/sets/infra/rollback', { method: 'POST' })
  expect([second > first, (await sequence()) > second]).toEqual([true, true])
})
