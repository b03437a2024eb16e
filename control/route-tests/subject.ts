import type { RequestFacts } from '../../engine/facts.ts'
import type { Defaults, TestFields } from './test-file.ts'

/** What a test sends to the engine. */
export type Subject = RequestSubject | StreamSubject

export interface RequestSubject {
  readonly type: 'request'
  readonly facts: RequestFacts
}

/** A connection, or a client that sends datagrams. */
export interface StreamSubject {
  readonly type: 'tls' | 'tcp' | 'udp'
  readonly port: number
  /** "" for all but TLS, and for clients that send none. */
  readonly serverName: string
}

/** Why a test asks for nothing that could be sent, and in which of its fields. */
export interface SubjectFault {
  readonly field: keyof TestFields
  readonly fault: string
}

type Settings = Pick<TestFields, 'scheme' | 'host' | 'port' | 'headers'>

/** A test's own fields come before what its request line says, and that before the file's defaults. */
export function readSubject(test: TestFields, defaults: Defaults): Subject | SubjectFault {
  if (test.tcp !== undefined) return { type: 'tcp', port: test.tcp, serverName: '' }
  if (test.udp !== undefined) return { type: 'udp', port: test.udp, serverName: '' }
  if (test.tls !== undefined) return readTls(test.tls, test.port, defaults.port)
  return test.grpc === undefined ? readRequest(test.request ?? '', test, defaults) : readCall(test.grpc, test, defaults)
}

function readTls(text: string, port: number | undefined, usual: number | undefined): StreamSubject | SubjectFault {
  const [, serverName, own] = /^([^:\s/]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (serverName === undefined) return { field: 'tls', fault: 'is no server name; write one as db.example.com:5432' }
  return { type: 'tls', serverName, port: port ?? (own === undefined ? (usual ?? 443) : Number(own)) }
}

/** "[METHOD ]URL" or "[METHOD ]/path?query". */
function readRequest(text: string, test: Settings, defaults: Settings): RequestSubject | SubjectFault {
  const [, method = 'GET', target] = /^(?:([A-Za-z]+)\s+)?(\S+)$/.exec(text.trim()) ?? []
  if (target === undefined) return { field: 'request', fault: 'is no request; write GET /path or http://host/path' }
  return requestTo(target, 'request', method, {}, test, defaults)
}

/** "[URL/]service/method". A call is a POST to /service/method.
 *  https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Requests" */
function readCall(text: string, test: Settings, defaults: Settings): RequestSubject | SubjectFault {
  const target = text.includes('://') || text.startsWith('/') ? text : `/${text}`
  if (!/\/[^/\s?]+\/[^/\s?]+$/.test(target)) return { field: 'grpc', fault: 'is no call; write service/method' }
  return requestTo(target, 'grpc', 'POST', { 'content-type': 'application/grpc', te: 'trailers' }, test, defaults)
}

function requestTo(
  target: string,
  field: 'request' | 'grpc',
  method: string,
  implied: NonNullable<Settings['headers']>,
  test: Settings,
  defaults: Settings,
): RequestSubject | SubjectFault {
  const isPath = target.startsWith('/')
  const host = test.host ?? (isPath ? defaults.host : undefined)
  if (isPath && host === undefined)
    return { field, fault: 'names no host; write a URL, or host: in the test or defaults' }
  const scheme = test.scheme ?? defaults.scheme ?? 'http'
  const url = URL.parse(isPath ? `${scheme}://${host}${target}` : target)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '') {
    return { field, fault: `${JSON.stringify(target.slice(0, 100))} leads to no URL; write http://host/path` }
  }
  const headers = headersOf(implied, defaults.headers, test.headers)
  return {
    type: 'request',
    facts: {
      scheme: test.scheme ?? (url.protocol === 'https:' ? 'https' : 'http'),
      authority: host ?? url.host,
      port: test.port ?? (url.port === '' ? defaults.port : Number(url.port)),
      method,
      // As the data planes do: the path is matched as it will be sent.
      path: url.pathname,
      query: url.search.slice(1),
      header: (name) => headers.get(name),
    },
  }
}

/** Later ones replace earlier ones of the same name. */
function headersOf(...all: readonly Settings['headers'][]): ReadonlyMap<string, string> {
  return new Map(
    all.flatMap((headers = {}) =>
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')] as const),
    ),
  )
}
