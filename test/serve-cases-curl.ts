import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Cases } from './serve-cases.ts'
import type { Told } from './serve-origins.ts'
import { type Output, run } from './serve-rig.ts'
import { hosts, ports, type World } from './serve-world.ts'

const upload = Buffer.alloc(3_000_000, 'upload ')
const sha256 = createHash('sha256').update(upload).digest('hex')

const url = (host: string, path: string): string => `http://${host}:${ports.http}${path}`
const secure = (host: string, path: string, port: number = ports.https): string => `https://${host}:${port}${path}`

/** Silent but for errors; names lead to the world's address, and its authority is trusted. */
const curl = ({ site, files }: World, args: readonly string[], input: string | Buffer = ''): Promise<Output> =>
  run(
    'curl',
    ['-sS', '--max-time', '10', '--connect-to', `::${site.address}:`, '--cacert', files.authority, ...args],
    input,
  )

async function told(world: World, args: readonly string[], input: string | Buffer = ''): Promise<Told> {
  const { code, stdout, stderr } = await curl(world, args, input)
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

/** What curl's --write-out says, of an answer that is dropped. */
async function written(world: World, format: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await curl(world, ['-o', '/dev/null', '-w', format, ...args])
  expect(code, stderr).toBe(0)
  return stdout
}

/** Whether curl has met with something else than an answer of HTTP. */
async function isRefused(world: World, args: readonly string[]): Promise<boolean> {
  const { code, stdout } = await curl(world, ['-i', ...args])
  return code !== 0 && stdout === ''
}

/** curl's option for a version, and what is asked for. */
type Way = readonly [version: string, host: string]

/** Two cases: HTTP/1.1 alone, and HTTP/2 with the client, the origin or both. */
const inEachVersion = (sentence: string, prove: (world: World, ...way: Way) => Promise<void>): Cases => {
  const proveAll =
    (ways: readonly Way[]) =>
    async (world: World): Promise<void> => {
      for (const way of ways) await prove(world, ...way)
    }
  const http2 = '--http2-prior-knowledge'
  return {
    [`${sentence} by HTTP/1.1`]: proveAll([['--http1.1', hosts.http1]]),
    [`${sentence} by HTTP/2`]: proveAll([
      ['--http1.1', hosts.h2c],
      [http2, hosts.http1],
      [http2, hosts.h2c],
    ]),
  }
}

export const curlCases: Cases = {
  'curl is answered by HTTP/1.1, with what it asked for byte for byte': async (world) => {
    const {
      method,
      url: target,
      headers,
    } = await told(world, ['--path-as-is', url(hosts.http1, '/a//b/%2F;x?q=%2F&q=1')])
    expect({ method, target, host: headers.host }).toEqual({
      method: 'GET',
      target: '/a//b/%2F;x?q=%2F&q=1',
      host: `${hosts.http1}:${ports.http}`,
    })
  },
  'curl keeps its connection for the next request': async (world) => {
    const both = [url(hosts.http1, '/bytes/5'), '-o', '/dev/null', url(hosts.http1, '/chunks/5')]
    expect(await written(world, '%{num_connects} %{size_download}\n', both)).toBe('1 5\n0 5000\n')
  },
  'curl is answered by h2c with prior knowledge': async (world) => {
    const args = ['--http2-prior-knowledge', url(hosts.http1, '/chunks/9')]
    expect(await written(world, '%{http_version} %{size_download}', args)).toBe('2 9000')
  },
  'curl is answered by HTTP/1.1 where it would upgrade to h2c, which no origin hears of': async (world) => {
    const { headers } = await told(world, ['--http2', url(hosts.http1, '/')])
    expect(Object.keys(headers)).not.toContain('upgrade')
    expect(Object.keys(headers)).not.toContain('http2-settings')
    expect(await written(world, '%{http_version}', ['--http2', url(hosts.http1, '/')])).toBe('1.1')
  },
  'curl is answered over TLS by what ALPN chose': async (world) => {
    for (const [option = '', version = ''] of [
      ['--http2', '2'],
      ['--http1.1', '1.1'],
      ['--no-alpn', '1.1'],
    ])
      expect(await written(world, '%{http_version}', [option, secure(hosts.http1, '/')])).toBe(version)
  },
  'curl is answered by TLS 1.2 and by TLS 1.3': async (world) => {
    for (const version of ['1.2', '1.3']) {
      const { code, stderr } = await curl(world, [
        '-v',
        `--tlsv${version}`,
        '--tls-max',
        version,
        secure(hosts.http1, '/'),
      ])
      expect(code).toBe(0)
      expect(stderr).toContain(`SSL connection using TLSv${version}`)
    }
  },
  'curl is refused by TLS 1.1': async (world) => {
    const old = ['--tlsv1.0', '--tls-max', '1.1', '--ciphers', 'ALL:@SECLEVEL=0']
    const { stderr } = await curl(world, [...old, secure(hosts.http1, '/')])
    expect(stderr).toContain('alert protocol version')
  },
  'curl makes many requests at once over one connection of HTTP/2': async (world) => {
    const urls = Array.from({ length: 50 }, (_, n) => [
      '-o',
      '/dev/null',
      secure(hosts.http1, `/bytes/${1_000 + n}`),
    ]).flat()
    const { code, stdout } = await curl(world, ['-Z', '--http2', '-w', '%{http_code} %{num_connects}\n', ...urls])
    const lines = stdout.trim().split('\n')
    expect([code, lines.length, new Set(lines.map((line) => line.split(' ')[0]))]).toEqual([0, 50, new Set(['200'])])
    expect(lines.filter((line) => line.endsWith(' 1')).length).toBeLessThanOrEqual(2)
  },
  ...inEachVersion('curl uploads what arrives whole, whatever its length is told by,', async (world, version, host) => {
    for (const body of [
      ['--data-binary', '@-'],
      ['-T', '-'],
      ['--data-binary', '@-', '-H', 'Expect: 100-continue'],
      ['--data-binary', '@-', '-H', 'Transfer-Encoding: chunked'],
    ]) {
      const answer = await told(world, [version, ...body, url(host, '/up')], upload)
      expect(answer, `${version} ${body} to ${host}`).toMatchObject({ length: upload.length, sha256 })
    }
  }),
  'curl that expects 100 gets it, and then its answer': async (world) => {
    const args = ['-v', '-H', 'Expect: 100-continue', '--data-binary', '@-', url(hosts.http1, '/up')]
    const { stderr } = await curl(world, args, upload)
    expect(stderr.match(/^< HTTP.*\b\d+\b/gm)).toEqual(['< HTTP/1.1 100', '< HTTP/1.1 200'])
  },
  'curl sees the trailers of an origin by HTTP/2, and by HTTP/1.1 where it says that it takes them': async (world) => {
    for (const host of [hosts.http1, hosts.h2c]) {
      for (const version of [
        ['--http2-prior-knowledge'],
        ['--http1.1', '-H', 'TE: trailers', '-H', 'Connection: TE'],
      ]) {
        const { stdout } = await curl(world, [...version, '-D', '-', '-o', '/dev/null', url(host, '/trailers')])
        expect(stdout, `${version} from ${host}`).toMatch(/^checksum: abc\r$/im)
      }
      const { stdout } = await curl(world, ['-D', '-', '-o', '/dev/null', url(host, '/trailers')])
      expect(stdout).not.toMatch(/^checksum: abc/im)
    }
  },
  ...inEachVersion('curl sees the early hints of an origin', async (world, version, host) => {
    const { stdout } = await curl(world, [version, '-i', url(host, '/hints')])
    expect(stdout.match(/^HTTP\S+ \d+/gm)?.map((line) => line.slice(-3))).toEqual(['103', '200'])
  }),
  ...inEachVersion('curl gets the head of a HEAD, and of answers that have no body,', async (world, version, host) => {
    const head = await curl(world, [version, '-I', url(host, '/bytes/100')])
    expect([head.code, head.stdout]).toEqual([0, expect.stringMatching(/^content-length: 100\r$/im)])
    for (const status of ['204', '304', '205']) {
      const said = await written(world, '%{http_code} %{size_download}', [version, url(host, `/status/${status}`)])
      expect(said).toBe(`${status} 0`)
    }
  }),
  'curl follows a redirect of a route': async (world) => {
    const { url: target } = await told(world, ['-L', '--http2', secure(hosts.http1, '/old')])
    expect(target).toBe('/new')
  },
  ...inEachVersion(
    'curl is told when an origin does not answer in the time of its route',
    async (world, version, host) => {
      const args = [version, url(host, '/hang')]
      expect(await written(world, '%{http_code} %header{landfall-reason}', args)).toBe('504 request-timeout')
    },
  ),
  'curl reaches an origin over TLS, which only its BackendTLSPolicy names': async (world) => {
    const { headers } = await told(world, [url(hosts.tls, '/')])
    expect(headers.host).toBe(`${hosts.tls}:${ports.http}`)
  },
  'curl reaches an origin by passthrough beside HTTPS on the same port': async (world) => {
    const { headers } = await told(world, [secure(hosts.passthrough, '/')])
    expect(Object.keys(headers)).not.toContain('x-forwarded-for')
    expect(await written(world, '%{ssl_verify_result}', [secure(hosts.passthrough, '/')])).toBe('0')
  },
  'curl needs a certificate of the right authority where clients are asked for one': async (world) => {
    const { client, clientKey, stranger, strangerKey } = world.files
    const target = secure(hosts.http1, '/', ports.clients)
    for (const version of ['1.2', '1.3']) {
      const known = ['--tlsv1.2', '--tls-max', version, target]
      expect(await isRefused(world, known)).toBe(true)
      expect(await isRefused(world, ['--cert', stranger, '--key', strangerKey, ...known])).toBe(true)
      expect((await curl(world, ['--cert', client, '--key', clientKey, ...known])).code).toBe(0)
    }
  },
  'curl is sent to another connection when this one is for another host': async (world) => {
    const args = ['-H', `Host: ${hosts.passthrough}`, secure(hosts.http1, '/')]
    expect(await written(world, '%{http_code}', args)).toBe('421')
  },
}
