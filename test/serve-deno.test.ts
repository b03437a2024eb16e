import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { issue } from './certificates.ts'
import { preface } from './http2-wire.ts'
import { startHttpOrigin } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { serves } from './serve-cases.ts'
import { curlCases } from './serve-cases-curl.ts'
import { loadCases } from './serve-cases-load.ts'
import { opensslCases } from './serve-cases-openssl.ts'
import { webSocketCases } from './serve-cases-websocket.ts'
import { authority, gateway, gatewayClass, http, https, route, secret, service } from './serve-manifests.ts'
import { landfallOnDeno, serveOnDeno } from './serve-on-deno.ts'
import { run, Site } from './serve-rig.ts'
import { ports } from './serve-world.ts'

const clientCertificates = 'listeners that ask clients for a certificate are not served'
const http2 = 'HTTP/2 is not spoken'

describe('landfall serve on Deno', () => {
  serves(
    serveOnDeno,
    [
      [['curl'], curlCases],
      [['h2load', 'wrk'], loadCases],
      [['openssl'], opensslCases],
      [[], webSocketCases],
    ],
    {
      'curl is answered by h2c with prior knowledge': http2,
      'curl is answered over TLS by what ALPN chose': http2,
      'curl makes many requests at once over one connection of HTTP/2': http2,
      'curl sees the trailers of an origin by HTTP/2, and by HTTP/1.1 where it says that it takes them': http2,
      'curl uploads what arrives whole, whatever its length is told by, by HTTP/2': http2,
      'curl sees the early hints of an origin by HTTP/2': http2,
      'curl gets the head of a HEAD, and of answers that have no body, by HTTP/2': http2,
      'curl is told when an origin does not answer in the time of its route by HTTP/2': http2,
      'h2load is answered by h2c and by h2, with many streams on a few connections': http2,
      'h2load has large answers, and its bodies are taken': http2,
      'openssl has h2 chosen before http/1.1, and nothing where it knows neither': http2,
      'curl is refused by TLS 1.1': 'refused by another alert',
      'openssl is shown the certificate that it can read': 'one certificate a host',
      'curl needs a certificate of the right authority where clients are asked for one': clientCertificates,
      'openssl with a certificate resumes its session, and needs none to do so nowhere else': clientCertificates,
      'openssl is told by which authorities clients may be known': clientCertificates,
    },
    [ports.http, ports.https, ports.tcp],
  )
})

describe('on Deno', () => {
  let site: Site

  beforeEach(async () => {
    site = await Site.create()
  })
  afterEach(() => site.close())

  test('listeners of UDP, and those that ask clients for a certificate, are not served, which is told, and others are', async () => {
    const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] }
    const frontend = { default: {}, perPort: [{ port: 8444, tls: { validation } }] }
    await site.write('site', [
      gatewayClass,
      gateway(
        site.address,
        [https(8443, ['site']), https(8444, ['site']), { name: 'udp', protocol: 'UDP', port: 8444 }],
        { tls: { frontend } },
      ),
      secret('site', issue({ subject: 'site', names: ['DNS:*.example.test'] })),
      authority('ca', issue({ subject: 'ca', isAuthority: true })),
    ])
    const running = await site.start([8443], serveOnDeno)
    for (const fault of [
      'Gateway test/web: listener https-8444 is not served: client certificates need Node.js, and this is Deno',
      'Gateway test/web: listener udp is not served: UDP listeners need Node.js, and this is Deno',
    ])
      await running.until(() => running.stderr.includes(fault))
    expect(await site.accepts(8444)).toBe(false)
  })

  test('HTTP/2 is not spoken, with clients or with origins, which is told', async () => {
    const origin = await startHttpOrigin((_, response) => response.end())
    await site.write('site', [
      gatewayClass,
      gateway(site.address, [http(8080), https(8443, ['site'])]),
      secret('site', issue({ subject: 'site', names: ['DNS:*.example.test'] })),
      route('HTTPRoute', 'h2c', { hostnames: ['h2c.example.test'] }),
      ...service('h2c', [origin.endpoint], 'kubernetes.io/h2c'),
    ])
    const running = await site.start([8080, 8443], serveOnDeno)
    await running.until(() => running.stderr.includes('on Deno: HTTP/2, and gRPC with it, is not spoken'))
    const http2 = await RawConnection.open(8080, site.address)
    http2.write(preface)
    expect(await http2.rest()).toBe('')
    await running.until(async () => (await running.admin('/metrics')).includes('ending="no-http2"} 1'))
    const offered = connectTls({
      host: site.address,
      port: 8443,
      servername: 'www.example.test',
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
    })
    await once(offered, 'secureConnect')
    expect(offered.alpnProtocol).toBe('http/1.1')
    offered.destroy()
    expect((await site.get(8080, '/', { host: 'h2c.example.test' })).status).toBe(502)
    await origin.close()
  })

  test('more processes than one are refused', async () => {
    const [deno = '', ...args] = landfallOnDeno
    const { code, stderr } = await run(deno, [...args, 'serve', '-f', '.', '--workers', '2'])
    expect([code, stderr]).toEqual([2, 'landfall: --workers needs Node.js: on Deno, one process serves\n'])
  })

  test('routes and certificates change while they are served', async () => {
    const redirect = (hostname: string) =>
      route('HTTPRoute', 'redirect', {
        rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname } }] }],
      })
    const write = async (name: string): Promise<void> => {
      await site.write('route', [redirect(`${name}.test`)])
      await site.write('certificate', [secret('site', issue({ subject: name, names: ['DNS:*.example.test'] }))])
    }
    await write('first')
    await site.write('site', [gatewayClass, gateway(site.address, [http(8080), https(8443, ['site'])])])
    const running = await site.start([8080, 8443], serveOnDeno)
    for (const name of ['second', 'third']) {
      await write(name)
      await running.until(async () => (await site.get(8080)).location.startsWith(`http://${name}.test`))
      const shown = async (): Promise<string> => {
        const url = 'https://www.example.test:8443/'
        const to = `www.example.test:8443:${site.address}`
        return (await run('curl', ['-skv', '--resolve', to, url])).stderr
      }
      await running.until(async () => (await shown()).includes(`subject: CN=${name}`))
    }
  })

  test('a process that is told to end answers what it has, and ends', async () => {
    const arrived: (() => void)[] = []
    const origin = await startHttpOrigin((_request, response) => void arrived.push(() => response.end('ok')))
    await site.write('site', [
      gatewayClass,
      gateway(site.address, [http(8080)]),
      route('HTTPRoute', 'origin'),
      ...service('origin', [origin.endpoint]),
    ])
    const running = await site.start([8080], serveOnDeno)
    const busy = site.get(8080)
    await running.until(() => arrived.length === 1)
    const ended = running.stop()
    await running.until(async () => !(await site.accepts(8080)))
    arrived[0]?.()
    expect((await busy).status).toBe(200)
    expect(await ended).toBe(0)
    await origin.close()
  })
})
