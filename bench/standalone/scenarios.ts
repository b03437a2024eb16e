import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { h2load, handshakes, type Load, passthrough, wrk } from './load.ts'
import { type Asked, ask, askStream } from './probe.ts'
import { type BenchRoute, pathOf, spread, tenantOf } from './routes.ts'
import { grpc, large, ports, posted, type Site, small } from './site.ts'

export const scenarioNames = [
  'small GET',
  '100 KB answer',
  '10 KB POST',
  'TLS keep-alive',
  'TLS handshakes',
  'HTTP/2',
  'gRPC unary',
  'passthrough',
] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface Scenario {
  readonly name: ScenarioName
  /** What is counted. */
  readonly unit: 'request' | 'handshake' | 'MB'
  readonly how: string
  /** Resolves when a contender answers as it should; throws what is wrong. */
  check(site: Site): Promise<void>
  load(site: Site): Promise<Load>
}

const smallPath = '/items/42?page=2'
const largePath = '/large'

/** Requests with bodies, or for large answers, are not for all routes: the load generator would have to hold them all. */
const few = 200

export const scenarios: readonly Scenario[] = [
  {
    name: 'small GET',
    unit: 'request',
    how: `wrk, 32 connections, HTTP/1.1 in the clear, all routes in turn, ${small.length} bytes back`,
    check: (site) => checkAll(site, 'http', smallPath, small.length),
    load: (site) =>
      wrk(
        site,
        'small',
        site.routes.map((route) => request('GET', route, smallPath)),
      ),
  },
  {
    name: '100 KB answer',
    unit: 'request',
    how: 'the same with 100,000 bytes back',
    check: (site) => checkAll(site, 'http', largePath, large),
    load: (site) =>
      wrk(
        site,
        'large',
        spread(site.routes, few).map((route) => request('GET', route, largePath)),
      ),
  },
  {
    name: '10 KB POST',
    unit: 'request',
    how: 'the same with a body of 10,000 bytes and a small answer',
    check: (site) => checkAll(site, 'http', smallPath, small.length, body),
    load: (site) =>
      wrk(
        site,
        'post',
        spread(site.routes, few).map((route) => request('POST', route, smallPath, body)),
      ),
  },
  {
    name: 'TLS keep-alive',
    unit: 'request',
    how: 'h2load --h1, 32 connections, small GET',
    check: (site) => checkAll(site, 'https', smallPath, small.length),
    load: async (site) => overTls(site, ['--h1', '-c', '32']),
  },
  {
    name: 'TLS handshakes',
    unit: 'handshake',
    how: 'four openssl s_time -new, without a server name, ECDSA P-256, no resumption',
    check: (site) => checkAll(site, 'https', smallPath, small.length),
    load: async (site) => handshakes(site),
  },
  {
    name: 'HTTP/2',
    unit: 'request',
    how: 'h2load, 8 connections of 10 streams over TLS, small GET, HTTP/1.1 to the origin',
    check: (site) => checkAll(site, 'h2', smallPath, small.length),
    load: async (site) => overTls(site, ['-c', '8', '-m', '10']),
  },
  {
    name: 'gRPC unary',
    unit: 'request',
    how: 'h2load, 8 connections of 10 streams over TLS, clear HTTP/2 to the origin, trailers',
    check: checkGrpc,
    load: grpcLoad,
  },
  {
    name: 'passthrough',
    unit: 'MB',
    how: 'four connections by SNI, bytes towards the client, none of them encrypted by either end',
    check: (site) => askStream(site),
    load: async (site) => passthrough(site),
  },
]

const body = 'x'.repeat(posted)

const request = (method: string, route: BenchRoute, rest: string, content = ''): string =>
  [
    `${method} ${pathOf(route, rest)} HTTP/1.1`,
    `Host: ${route.hostname}`,
    'User-Agent: bench/1.0',
    'Accept: application/json, text/plain, */*',
    'Accept-Encoding: gzip, br',
    `X-Tenant: ${tenantOf(route)}`,
    ...(content === '' ? [] : [`Content-Length: ${content.length}`]),
    `\r\n${content}`,
  ].join('\r\n')

/** One hostname is all that h2load can ask for. */
function overTls(site: Site, options: readonly string[]): Load {
  const first = site.routes[0]
  if (first === undefined) throw new Error('there are no routes')
  const paths = site.routes
    .filter(({ hostname }) => hostname === first.hostname)
    .map((route) => pathOf(route, smallPath))
  return h2load(site, first.hostname, paths, [...options, '-H', `x-tenant: ${tenantOf(first)}`])
}

const grpcPath = `/${grpc.service}/${grpc.method}`

/** A message of 100 bytes behind its length. */
const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 100]), Buffer.alloc(100, 1)])

async function grpcLoad(site: Site): Promise<Load> {
  const file = join(site.directory, 'message')
  await writeFile(file, message)
  const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
  return h2load(site, grpc.hostname, [grpcPath], ['-c', '8', '-m', '10', '-d', file, ...headers])
}

async function checkGrpc(site: Site): Promise<void> {
  const asked = {
    protocol: 'h2',
    hostname: grpc.hostname,
    path: grpcPath,
    tenant: 't0',
    body: message,
    contentType: 'application/grpc',
  } as const
  const { status, origin, length, grpcStatus } = await ask(site, asked)
  if (status !== 200 || origin !== 'grpc' || length !== 5 + small.length || grpcStatus !== '0')
    throw new Error(`gRPC is answered with ${status} from ${origin}, ${length} bytes, grpc-status ${grpcStatus}`)
}

/** That routes from all over the table lead to their own Services. */
async function checkAll(
  site: Site,
  protocol: Asked['protocol'],
  rest: string,
  length: number,
  content = '',
): Promise<void> {
  for (const route of spread(site.routes, 20)) {
    const asked = { protocol, hostname: route.hostname, path: pathOf(route, rest), tenant: tenantOf(route) }
    const answer = await ask(site, { ...asked, body: Buffer.from(content), contentType: undefined })
    if (answer.status !== 200 || answer.length !== length || answer.origin !== `api-${route.service}`)
      throw new Error(
        `${route.name} on port ${ports[protocol === 'http' ? 'http' : 'https']} is answered with ${answer.status} from ${answer.origin}, ${answer.length} bytes`,
      )
  }
}
