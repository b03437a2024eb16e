import { expect } from 'vitest'
import type { Cases } from './serve-cases.ts'
import { type Output, run } from './serve-rig.ts'
import { hosts, ports, type World } from './serve-world.ts'

const bye = (host: string): string => `GET /bytes/5 HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

interface Handshake {
  readonly port?: number
  /** "": none is named. */
  readonly host?: string
  readonly input?: string
}

/** A connection of s_client, which ends when its server does. */
const client = (
  { site, files }: World,
  args: readonly string[],
  { port = ports.https, host = hosts.http1, input = bye(host) }: Handshake = {},
): Promise<Output> => {
  const name = host === '' ? ['-noservername'] : ['-servername', host]
  const to = ['-connect', `${site.address}:${port}`, ...name, '-CAfile', files.authority]
  return run('openssl', ['s_client', ...to, '-ign_eof', ...args], input)
}

/** A full handshake, then one by the session that came of it. */
async function twice(world: World, version: string, handshake: Handshake, args: readonly string[] = []) {
  const session = `${world.site.directory}/session-${version}`
  const first = await client(world, [version, '-sess_out', session, ...args], handshake)
  const second = await client(world, [version, '-sess_in', session, ...args], handshake)
  return { first, second }
}

const versions = ['-tls1_2', '-tls1_3'] as const

const isNew = expect.stringMatching(/^New, TLS/m)
const isReused = expect.stringMatching(/^Reused, TLS/m)

export const opensslCases: Cases = {
  'openssl resumes its session, and is answered': async (world) => {
    for (const version of versions) {
      const { first, second } = await twice(world, version, {})
      expect([version, first.stdout, second.stdout]).toEqual([version, isNew, isReused])
      expect(second.stdout).toContain('HTTP/1.1 200 OK')
    }
  },
  'openssl with a certificate resumes its session, and needs none to do so nowhere else': async (world) => {
    const { client: certificate, clientKey } = world.files
    for (const version of versions) {
      const place = { port: ports.clients }
      const { first, second } = await twice(world, version, place, ['-cert', certificate, '-key', clientKey])
      expect([version, first.stdout, second.stdout]).toEqual([version, isNew, isReused])
      expect(second.stdout).toContain('HTTP/1.1 200 OK')
    }
  },
  'openssl resumes no session of where nobody is asked for a certificate where clients are': async (world) => {
    for (const version of versions) {
      await twice(world, version, { port: ports.https })
      const session = `${world.site.directory}/session-${version}`
      const { stdout } = await client(world, [version, '-sess_in', session], { port: ports.clients })
      expect(stdout).not.toContain('HTTP/1.1 200 OK')
    }
  },
  'openssl is told by which authorities clients may be known': async (world) => {
    const { stdout } = await client(world, [], { port: ports.clients })
    expect(stdout).toContain('Landfall test authority')
  },
  'openssl is shown the certificate that it can read': async (world) => {
    for (const [algorithms = '', subject = ''] of [
      ['ECDSA+SHA256', 'ecdsa'],
      ['RSA+SHA256:RSA-PSS+SHA256', 'rsa'],
      ['ECDSA+SHA256:RSA-PSS+SHA256', 'ecdsa'],
    ]) {
      for (const version of versions) {
        const { stdout } = await client(world, [version, '-sigalgs', algorithms])
        expect([algorithms, stdout]).toEqual([algorithms, expect.stringContaining(`subject=CN = ${subject}\n`)])
        expect(stdout).toContain('Verify return code: 0 (ok)')
      }
    }
  },
  'openssl is shown a certificate by the name it wants, and by none': async (world) => {
    const { stdout } = await client(world, [], { host: '', input: bye(hosts.http1) })
    expect(stdout).toContain('HTTP/1.1 200 OK')
    const passed = await client(world, [], { host: hosts.passthrough })
    expect(passed.stdout).toContain('subject=CN = origin\n')
  },
  'openssl has h2 chosen before http/1.1, and nothing where it knows neither': async (world) => {
    for (const [offered = '', said = ''] of [
      ['http/1.1,h2', 'ALPN protocol: h2'],
      ['h2', 'ALPN protocol: h2'],
      ['http/1.1', 'ALPN protocol: http/1.1'],
    ]) {
      const { stdout } = await client(world, ['-alpn', offered], { input: 'Q\r\n\r\n' })
      expect([offered, stdout]).toEqual([offered, expect.stringContaining(said)])
    }
  },
  'openssl that says nothing of HTTP/1.1 is shut out at the end of its handshake': async (world) => {
    const { stdout } = await client(world, ['-alpn', 'spdy/3'])
    expect(stdout).not.toContain('HTTP/1.1 200 OK')
  },
  'openssl makes new handshakes and resumed ones without a failure': async (world) => {
    for (const kind of ['-new', '-reuse']) {
      const to = ['-connect', `${world.site.address}:${ports.https}`, '-CAfile', world.files.authority]
      const { code, stdout } = await run('openssl', ['s_time', kind, '-time', '1', ...to])
      expect(code).toBe(0)
      expect(Number(/(\d+) connections in \d+ real seconds/.exec(stdout)?.[1])).toBeGreaterThan(10)
    }
  },
}
