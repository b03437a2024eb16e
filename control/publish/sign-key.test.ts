import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { readTableKey } from '../../engine/table-key.ts'
import { SignKeyError, signerOf, tableKeyOf } from './sign-key.ts'

const pair = generateKeyPairSync('ed25519')
const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const message = Uint8Array.from([1, 2, 3])

test('a signer signs as OpenSSL does, and knows its own signatures from others', async () => {
  const signer = await signerOf(pem)
  const signature = await signer.sign(message)
  expect(Buffer.from(signature)).toEqual(sign(null, message, pair.privateKey))
  expect(verify(null, message, pair.publicKey, signature)).toBe(true)
  expect(await signer.verify(message, signature)).toBe(true)
  expect(await signer.verify(Uint8Array.from([1, 2, 4]), signature)).toBe(false)
  expect(await (await signerOf(otherPem())).verify(message, signature)).toBe(false)
})

test('what readers pin is the public key, under the name that signatures have', async () => {
  const text = await tableKeyOf(pem)
  expect(text).toMatch(/^[0-9a-f]{12}:[\w-]{43}$/)
  const key = readTableKey(text)
  expect(key?.id).toBe((await signerOf(pem)).keyId)
  const { x } = pair.publicKey.export({ format: 'jwk' })
  expect(Buffer.from(key?.publicKey ?? []).toString('base64url')).toBe(x)
})

test('a key that an environment variable has on one line is read, too', async () => {
  expect(await tableKeyOf(pem.replaceAll('\n', ' '))).toBe(await tableKeyOf(pem))
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey

test.for([
  ['nothing', ''],
  ['a public key', pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ['an encrypted key', encrypted()],
  ['a key of RSA', rsa.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ['half a key', pem.replace(/\w{20}/, '')],
])('%s is refused, and no part of it is told', async ([, text = '']) => {
  const error = await signerOf(text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SignKeyError)
  for (const line of text.split('\n').filter((line) => line.length > 30 && !line.startsWith('-'))) {
    expect(String(error)).not.toContain(line)
  }
})

const otherPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

function encrypted(): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
  return pair.privateKey.export(options).toString()
}
