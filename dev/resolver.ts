import * as z from 'zod'
import { createWorkerServer, type WorkerServer } from '../standalone/connector/worker-server.ts'
import type { ClientRequest } from '../standalone/handler.ts'
import { createHttp1Client } from '../standalone/http1-client/http1-client.ts'
import type { Log } from '../standalone/log.ts'
import type { Connect, Origin } from '../standalone/origin-client.ts'
import { cfHeader, protoHeader } from './workerd-config.ts'

export interface ResolverOptions {
  readonly connect: Connect
  readonly log: Log
}

/** Takes what a Worker fetches with cf.resolveOverride and does what Cloudflare does: the request is for the URL, but goes to where
 *  another name leads. developers.cloudflare.com, "Request: RequestInitCfProperties". */
export function createResolver({ connect, log }: ResolverOptions): Pick<WorkerServer, 'listen' | 'close'> {
  const client = createHttp1Client({ connect })
  const server = createWorkerServer({
    log,
    handler: (request, sink) => {
      const { method, target, authority, headers, hasBody, upgrade } = request
      return client.open(originOf(request), { method, target, authority, headers, hasBody, upgrade }, sink)
    },
  })
  return {
    listen: (address) => server.listen(address),
    close: async (grace) => {
      await server.close(grace)
      client.close()
    },
  }

  function originOf(request: ClientRequest): Origin {
    const isSecure = request.header(protoHeader) === 'https'
    const { hostname, port } = new URL(`${isSecure ? 'https' : 'http'}://${request.authority}`)
    const { resolveOverride } = cf.parse(JSON.parse(request.header(cfHeader) ?? ''))
    const isHonoured = mayShareZone(hostname, resolveOverride)
    if (!isHonoured) log('resolve-override-ignored', { hostname, resolveOverride, why: 'they are of different zones' })
    return {
      endpoint: { address: isHonoured ? resolveOverride : hostname, port: Number(port) || (isSecure ? 443 : 80) },
      tls: isSecure ? { hostname, authorities: '', subjectAltNames: [] } : undefined,
    }
  }
}

const cf = z.object({ resolveOverride: z.string() })

/** Cloudflare ignores an override from one zone into another. Which zones there are is not known here, but names that differ in the
 *  last two labels can have none in common. */
export function mayShareZone(hostname: string, other: string): boolean {
  const [some, others] = [hostname, other].map((name) => name.toLowerCase().split('.').reverse())
  if (some === undefined || others === undefined) return false
  return some.slice(0, 2).every((label, index) => index >= others.length || label === others[index])
}
