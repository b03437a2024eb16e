import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Origin } from '../standalone/origin-client.ts'
import { createConnect } from '../standalone/origin-socket/origin-socket.ts'
import { issue } from '../test/certificates.ts'
import { closedEndpoint, echo, startOrigin } from '../test/origins.ts'
import { RawConnection } from '../test/raw-connection.ts'
import { startTls } from '../test/serve-origins.ts'
import { createResolver, mayShareZone } from './resolver.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const certificate = issue({ subject: 'shop', names: ['DNS:shop.example'] })

/** A resolver for which every name leads to `address`; `asked` are the origins that it connects to. */
async function start(address = '127.0.0.1') {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-resolver-'))
  const path = join(directory, 'resolver.sock')
  const asked: Origin[] = []
  const logged: string[] = []
  const connectTo = createConnect(() => undefined)
  const resolver = createResolver({
    connect: (origin, ...rest) => {
      asked.push(origin)
      const tls = origin.tls && { ...origin.tls, authorities: certificate.certificate }
      return connectTo({ endpoint: { ...origin.endpoint, address }, tls }, ...rest)
    },
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
  })
  await resolver.listen({ path })
  closers.push(
    () => rm(directory, { recursive: true }),
    () => resolver.close(0),
  )
  const ask = async (host: string, scheme: 'http' | 'https', resolveOverride: string) => {
    const socket = connect(path)
    closers.push(() => socket.destroy())
    await once(socket, 'connect')
    const told = `landfall-proto: ${scheme}\r\nlandfall-cf: ${JSON.stringify({ resolveOverride })}\r\n`
    return new RawConnection(socket).write(`GET /a?b HTTP/1.1\r\nHost: ${host}\r\n${told}X-A: 1\r\n\r\n`).message()
  }
  return { ask, asked, logged }
}

test('a request goes to the other name and stays what it is', async () => {
  const { endpoint, close } = await startOrigin(echo)
  closers.push(close)
  const { ask, asked, logged } = await start()
  const { body } = await ask(`shop.example:${endpoint.port}`, 'http', 'origin.shop.example')
  expect(body).toBe(`GET /a?b HTTP/1.1\r\nHost: shop.example:${endpoint.port}\r\nX-A: 1\r\n\r\n`)
  expect(asked).toEqual([{ endpoint: { address: 'origin.shop.example', port: endpoint.port }, tls: undefined }])
  expect(logged).toEqual([])
})

test("an origin of TLS shows the certificate of the URL's host", async () => {
  const { endpoint, close } = await startTls(certificate)
  closers.push(close)
  const { ask, asked } = await start()
  const { head, body } = await ask(`shop.example:${endpoint.port}`, 'https', 'origin.shop.example')
  expect(head).toContain('200 OK')
  expect(body).toContain(`"host":"shop.example:${endpoint.port}"`)
  expect(asked[0]).toMatchObject({ endpoint: { address: 'origin.shop.example' }, tls: { hostname: 'shop.example' } })
  expect((await ask(`www.shop.example:${endpoint.port}`, 'https', 'origin.shop.example')).head).toMatch(
    /^HTTP\/1\.1 502 .*landfall-reason: tls-failed/is,
  )
})

test.for([
  ['http', 80],
  ['https', 443],
] as const)('a URL of %s without a port is for port %i', async ([scheme, port]) => {
  const { ask, asked } = await start('127.255.255.254')
  expect((await ask('shop.example', scheme, 'origin.shop.example')).head).toContain('landfall-reason: connect-failed')
  expect(asked[0]?.endpoint.port).toBe(port)
})

test('a name of another zone is ignored, and the log says so', async () => {
  const { port } = await closedEndpoint()
  const { ask, asked, logged } = await start()
  expect((await ask(`shop.example:${port}`, 'http', 'origin.other.test')).head).toContain('502')
  expect(asked).toMatchObject([{ endpoint: { address: 'shop.example' } }])
  expect(logged).toEqual([expect.stringMatching(/^resolve-override-ignored .*shop\.example.*origin\.other\.test/)])
})

test.for([
  ['shop.example', 'origin.shop.example', true],
  ['a.b.shop.example', 'ORIGIN.shop.EXAMPLE', true],
  ['shop.localhost', 'localhost', true],
  ['localhost', 'shop.localhost', true],
  ['shop.example', 'shop.test', false],
  ['shop.example', 'other.example', false],
  ['shop.example', 'localhost', false],
] as const)('%s and %s may be of one zone: %s', ([hostname, other, may]) => {
  expect(mayShareZone(hostname, other)).toBe(may)
})
