import { once } from 'node:events'
import { request as overHttp } from 'node:http'
import { connect } from 'node:http2'
import { request as overHttps } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { passthrough, run } from './load.ts'
import { originHeader, ports, type Site } from './site.ts'

/** A single request, to see whether a contender does its work. */
export interface Asked {
  readonly protocol: 'http' | 'https' | 'h2'
  readonly hostname: string
  readonly path: string
  readonly tenant: string
  /** Empty for a GET. */
  readonly body: Buffer
  readonly contentType: string | undefined
}

export interface Answer {
  readonly status: number
  /** The Service that answered, by its own word. */
  readonly origin: string
  /** Of the body. */
  readonly length: number
  readonly grpcStatus: string
}

/** Milliseconds. */
const timeout = 5_000

export const ask = (site: Site, asked: Asked): Promise<Answer> =>
  asked.protocol === 'h2' ? askHttp2(site, asked) : askHttp1(site, asked)

async function askHttp1({ address }: Site, { protocol, hostname, path, tenant, body }: Asked): Promise<Answer> {
  const outgoing = (protocol === 'http' ? overHttp : overHttps)({
    host: address,
    port: ports[protocol === 'http' ? 'http' : 'https'],
    servername: hostname,
    rejectUnauthorized: false,
    agent: false,
    method: body.length > 0 ? 'POST' : 'GET',
    path,
    headers: { host: hostname, 'x-tenant': tenant, ...(body.length > 0 ? { 'content-length': body.length } : {}) },
    signal: AbortSignal.timeout(timeout),
  }).end(body)
  const [response] = await once(outgoing, 'response')
  const { length } = await buffer(response)
  return { status: response.statusCode, origin: String(response.headers[originHeader]), length, grpcStatus: '' }
}

async function askHttp2({ address }: Site, { hostname, path, tenant, body, contentType }: Asked): Promise<Answer> {
  const signal = AbortSignal.timeout(timeout)
  const session = connect(`https://${address}:${ports.https}`, { servername: hostname, rejectUnauthorized: false })
  try {
    // An error of the session is one of the stream, too.
    session.on('error', () => undefined)
    const stream = session.request(
      {
        ':method': body.length > 0 ? 'POST' : 'GET',
        ':authority': hostname,
        ':path': path,
        'x-tenant': tenant,
        ...(contentType === undefined ? {} : { 'content-type': contentType, te: 'trailers' }),
      },
      { endStream: body.length === 0, signal },
    )
    if (body.length > 0) stream.end(body)
    let grpcStatus = ''
    stream.once('trailers', (trailers) => {
      grpcStatus = String(trailers['grpc-status'])
    })
    const [headers] = await once(stream, 'response', { signal })
    const { length } = await buffer(stream)
    return { status: Number(headers[':status']), origin: String(headers[originHeader]), length, grpcStatus }
  } finally {
    session.destroy()
  }
}

/** That bytes come through the passthrough. */
export async function askStream(site: Site): Promise<void> {
  await run(passthrough(site))
}
