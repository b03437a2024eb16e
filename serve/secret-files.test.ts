import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issue } from '../test/certificates.ts'
import { secret } from '../test/serve-manifests.ts'
import { SecretFiles } from './secret-files.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-secrets-'))
})
afterEach(() => rm(directory, { recursive: true }))

const write = (name: string, object: object): Promise<void> =>
  writeFile(join(directory, `${name}.json`), JSON.stringify(object))

const one = issue({ subject: 'one' })
const two = issue({ subject: 'two' })

test('key pairs are found by namespace and name, and stay the same object until one changes', async () => {
  await write('one', secret('one', one))
  const files = new SecretFiles([directory])
  const { pairs, faults } = await files.read()
  expect(pairs.get('test/one')).toEqual({ certificate: one.certificate, privateKey: one.privateKey })
  expect(faults).toEqual([])
  expect((await files.read()).pairs).toBe(pairs)
  await write('two', secret('two', two))
  await expect.poll(async () => [...(await files.read()).pairs.keys()]).toEqual(['test/one', 'test/two'])
})

test('a key pair that is not one any more stays as it was, and is told of', async () => {
  await write('one', secret('one', one))
  await write('two', secret('two', two))
  const files = new SecretFiles([directory])
  const { pairs } = await files.read()
  await write('one', secret('one', { certificate: one.certificate, privateKey: two.privateKey }))
  await expect
    .poll(async () => (await files.read()).faults)
    .toEqual([expect.stringContaining('Secret test/one data.tls.key is not the key')])
  expect((await files.read()).pairs).toBe(pairs)
})
