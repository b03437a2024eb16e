import { expect, test } from 'vitest'
import { gatewayClass, service } from '../control/route-tests/manifest-fixture.ts'
import { landfall, type Output, run } from './serve-rig.ts'

interface Parts {
  readonly listener: string
  readonly hostname?: string
  readonly port?: number
}

/** A route of connections or datagrams, behind the end of the document before. */
const route = (version: string, kind: string, name: string, { listener, hostname, port = 80 }: Parts): string => `---
apiVersion: gateway.networking.k8s.io/${version}
kind: ${kind}
metadata: { name: ${name}, namespace: shop }
spec:
  parentRefs: [{ name: web, sectionName: ${listener} }]${hostname === undefined ? '' : `\n  hostnames: [${hostname}]`}
  rules: [{ backendRefs: [{ name: one, port: ${port} }] }]`

const manifests = `${gatewayClass}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop }
spec:
  gatewayClassName: landfall
  listeners:
    - { name: http, port: 80, protocol: HTTP }
    - { name: db, port: 443, protocol: TLS, hostname: '*.example.com', tls: { mode: Passthrough } }
    - { name: pg, port: 5432, protocol: TCP }
    - { name: dns, port: 53, protocol: UDP }
    - { name: idle, port: 54, protocol: UDP }
---
${service('one', {
  namespace: 'shop',
  ports: '{name: a, port: 80}, {name: u, port: 53, protocol: UDP}',
  endpointPorts: '{name: a, port: 8080}, {name: u, port: 53, protocol: UDP}',
  address: '192.0.2.7',
})}---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: cart, namespace: shop }
spec:
  parentRefs: [{ name: web, sectionName: http }]
  hostnames: [shop.example.com]
  rules:
    - matches: [{ method: { service: shop.Cart, method: Add } }]
      backendRefs: [{ name: one, port: 80 }]
    - matches: [{ method: { service: shop.Cart }, headers: [{ name: x-env, value: dev }] }]
      backendRefs: [{ name: one, port: 80 }]
${route('v1', 'TLSRoute', 'db', { listener: 'db', hostname: 'db.example.com' })}
${route('v1', 'TLSRoute', 'any', { listener: 'db', hostname: "'*.example.com'" })}
${route('v1alpha2', 'TCPRoute', 'pg', { listener: 'pg' })}
${route('v1alpha2', 'TCPRoute', 'pg-late', { listener: 'pg' })}
${route('v1alpha2', 'UDPRoute', 'dns', { listener: 'dns', port: 53 })}
`

const explain = (...args: readonly string[]): Promise<Output> =>
  run(landfall, ['explain', '-f', '-', ...args], manifests)

test('a call of gRPC is told by its route, and by grpc-status where there is none', async () => {
  const add = await explain('--grpc', 'shop.Cart/Add', 'http://shop.example.com')
  expect(add).toMatchObject({ code: 0, stderr: '' })
  expect(add.stdout).toBe(`gRPC shop.Cart/Add at http://shop.example.com
  Gateway   shop/web
  listener  http (port 80, any hostname)
  route     GRPCRoute shop/cart rule 0  stdin:37
  match     call: 'shop.Cart/Add'
  backend   shop/one:80/grpc (100 % of the requests)
  answer    forwards to shop/one:80/grpc at 192.0.2.7:8080 as /shop.Cart/Add with Host shop.example.com
Matches that lost, the nearest first:
  GRPCRoute shop/cart rule 1  stdin:39
    call: any method of 'shop.Cart', metadata x-env: 'dev': metadata x-env is absent, wants 'dev'
`)
  const unknown = await explain('--grpc', '/shop.Cart/Remove', 'http://shop.example.com')
  expect(unknown.code).toBe(1)
  expect(unknown.stdout).toContain('  answer    404 no-route, as grpc-status 12\n')
  expect(unknown.stdout).toContain("call is 'shop.Cart/Remove', wants 'shop.Cart/Add'")
})

test('a POST with the content-type of gRPC is such a call, too', async () => {
  const args = ['-X', 'POST', '-H', 'content-type: application/grpc+proto', '-H', 'x-env: dev']
  const { code, stdout } = await explain(...args, 'http://shop.example.com/shop.Cart/Remove')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^gRPC shop.Cart\/Remove at .*\n[\s\S]*rule 1 /)])
})

test('a TLS connection is told by its server name, with the listeners that do not take it', async () => {
  const { stdout } = await explain('tls://db.example.com:443')
  expect(stdout).toContain(`  listener  db (port 443, *.example.com)
  TLS       passes through
  route     TLSRoute shop/db rule 0  stdin:48
  match     server name: 'db.example.com'
  backend   shop/one:80 (100 % of the connections)
  answer    passes on to shop/one:80 at 192.0.2.7:8080
Matches that lost, the nearest first:
  TLSRoute shop/any rule 0  stdin:56
    server name: '*.example.com': a more specific hostname comes before it
`)
  const other = await explain('tls://other.test:443')
  expect(other.code).toBe(1)
  expect(other.stdout).toContain('  answer    closes the connection: no-listener\n')
  expect(other.stdout).toContain("  listener db: server name is 'other.test', wants '*.example.com'\n")
})

test('a TCP connection is told with the routes that came too late, -o json too', async () => {
  const why = 'an older TCPRoute has listener pg and gets all traffic for it'
  expect((await explain('tcp://192.0.2.1:5432')).stdout).toContain(`  TCPRoute shop/pg-late: ${why}`)
  const { code, stdout } = await explain('-o', 'json', 'tcp://192.0.2.1:5432')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    gateway: 'shop/web',
    decision: { type: 'forward', backend: { key: 'shop/one:80' } },
    listener: { id: 'pg' },
    winner: { route: 'TCPRoute shop/pg' },
    laterRoutes: [{ route: 'TCPRoute shop/pg-late', why: expect.stringContaining(why) }],
  })
})

test('a datagram is passed on or dropped', async () => {
  expect((await explain('udp://192.0.2.1:53')).stdout).toContain('passes on to shop/one:53/udp at 192.0.2.7:53')
  const idle = await explain('udp://192.0.2.1:54')
  expect([idle.code, idle.stdout]).toEqual([1, expect.stringContaining('drops the datagram: no-route')])
})

test.for([
  [['tls://db.example.com'], 'which port? Write tls://host:port'],
  [['ftp://a'], 'write http://host/path, or tls://host:port'],
  [['--grpc', 'shop.Cart', 'http://a'], "a call is written as 'package.Service/Method'"],
  [['--grpc', 'shop.Cart/Add', 'http://a/path'], 'leave the path out of the URL'],
  [['--grpc', 'shop.Cart/Add', 'tcp://a:1'], '--grpc is of requests'],
  [['--gateway', 'a/b', 'tcp://a:1'], 'there is no Gateway a/b; there are shop/web'],
] as const)('%j is refused with what would be right', async ([args, help]) => {
  const { code, stderr } = await explain(...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining(help)])
})

test('--help has an example of each', async () => {
  const { stdout } = await run(landfall, ['explain', '--help'])
  expect(stdout).toMatch(/\$ landfall explain .*--grpc [\s\S]*tls:\/\/db.example.com:443\n.*tcp:\/\//)
})
