import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { encodeTable } from '../control/publish/encode.ts'
import type { GatewayTable } from '../control/table.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { createConnector } from '../standalone/connector/connector.ts'
import { freePort } from './free-port.ts'
import { RawConnection } from './raw-connection.ts'

export const gateway = 'infra/edge'
const adminToken = 'a token for tests'

/** The Worker on plain workerd, with a store in memory and a connector behind it. */
export interface Edge {
  readonly port: number
  /** What the Worker sees as its KV namespace; change it as you like. */
  readonly entries: Map<string, Uint8Array>
  readonly workerd: Workerd
  /** Puts a table into the store; the Worker sees it when it looks next. */
  put(table: GatewayTable): void
  /** As put, and the Worker has looked. */
  publish(table: GatewayTable): Promise<void>
  /** A request to one of the Worker's own paths, with the bearer token. */
  admin(path: string, method?: string): Promise<Answer>
  ask(request: Request): Promise<Answer>
  raw(): Promise<RawConnection>
  /** The isolate, and all that it remembers, anew; with other variables, where they are given. */
  restart(variables?: Readonly<Record<string, string>>): Promise<void>
  close(): Promise<void>
}

export interface Request {
  readonly path: string
  readonly host?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface EdgeOptions {
  /** Whether a connector runs; true when unset. */
  readonly connector?: boolean
  readonly trustedHops?: number
  /** Variables of the Worker, besides its own. */
  readonly variables?: Readonly<Record<string, string>>
}

export async function startEdge({ connector: withConnector = true, variables = {} }: EdgeOptions = {}): Promise<Edge> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-edge-'))
  const entries = new Map<string, Uint8Array>()
  const kv = createKvServer({
    get: async (key) => entries.get(key),
    list: async (prefix) => [...entries.keys()].filter((key) => key.startsWith(prefix)),
  })
  kv.listen(join(directory, 'kv.sock'))
  await once(kv, 'listening')
  const connector = createConnector({
    keys: () => new Map([['k1', Buffer.from('a-secret-of-tests')]]),
    table: () => ({ endpoints: { has: () => true }, tls: new Map(), keyPairs: new Map() }),
    now: Date.now,
    log: () => {},
  })
  const connectorSocket = `unix:${join(directory, 'connector.sock')}`
  if (withConnector) await connector.listen({ path: join(directory, 'connector.sock') })
  await writeFile(join(directory, 'worker.js'), await bundleWorker())
  const port = await freePort()
  const workerd = new Workerd(directory, () => {})
  const setup = (more: Readonly<Record<string, string>>) => ({
    sockets: [{ name: 'http', address: `127.0.0.1:${port}`, props: { gateways: [gateway], port: 80 } }],
    storeAddress: `unix:${join(directory, 'kv.sock')}`,
    connectorAddress: connectorSocket,
    variables: { CONNECTOR_KEY: 'k1:a-secret-of-tests', ADMIN_TOKEN: adminToken, REFRESH_SECONDS: '3600', ...more },
  })
  await workerd.serve(setup(variables))

  const ask = (request: Request): Promise<Answer> => exchange(port, request)
  const admin = (path: string, method = 'GET'): Promise<Answer> =>
    ask({ path: `/.well-known/landfall/${path}`, method, headers: { authorization: `Bearer ${adminToken}` } })
  const put = (table: GatewayTable): void => {
    const encoded = encodeTable(table)
    if (!encoded.ok) throw new Error(encoded.problems[0]?.message)
    for (const [key, bytes] of encoded.table.shards) entries.set(key, bytes)
    entries.set(encoded.table.key, encoded.table.rootBytes)
  }
  return {
    port,
    entries,
    workerd,
    put,
    publish: async (table) => {
      put(table)
      await admin('refresh', 'POST')
    },
    admin,
    ask,
    raw: () => RawConnection.open(port),
    restart: (more = variables) => workerd.serve(setup(more)),
    close: async () => {
      await workerd.close()
      await connector.close(0).catch(() => undefined)
      kv.closeAllConnections()
      kv.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Rejects when the connection breaks before the end of the response. */
async function exchange(
  port: number,
  { path, host = 'example.com', method = 'GET', headers = {}, body }: Request,
): Promise<Answer> {
  const outgoing = httpRequest({ port, path, method, agent: false, headers: { host, ...headers } })
  outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  const bytes = await buffer(response)
  return { status: response.statusCode, headers: response.headers, body: bytes.toString() }
}
