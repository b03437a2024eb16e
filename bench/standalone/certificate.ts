import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Certificate } from './site.ts'

/** Makes a self-signed certificate for the names of the bench, with an ECDSA key of P-256. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const certificate = join(directory, 'bench.crt')
  const key = join(directory, 'bench.key')
  const both = join(directory, 'bench.pem')
  const names = 'subjectAltName=DNS:bench.example.com,DNS:*.bench.example.com'
  const { status, stderr } = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
      ...['-subj', '/CN=bench.example.com', '-addext', names, '-keyout', key, '-out', certificate],
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`openssl: ${stderr}`)
  await writeFile(both, Buffer.concat([await readFile(certificate), await readFile(key)]))
  return { certificate, key, both }
}
