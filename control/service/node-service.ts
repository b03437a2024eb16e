import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { hostPort } from '../../engine/host-port.ts'
import type { Site } from '../compile/compile.ts'
import type { Store } from '../publish/store.ts'
import { app } from './app.ts'
import { nodeLimits } from './limits.ts'
import { openDatabase } from './node-database.ts'
import type { Publishing } from './publisher.ts'
import { createService, type Place } from './service.ts'
import { holdAlone } from './sole-process.ts'
import { OwnTurns } from './turns.ts'

/** Milliseconds that a client gets to send a request's head, and all of a request. */
const headPatience = 10_000
const patience = 300_000

/** Milliseconds between tries to finish what a store that was away has kept from being published. */
const retry = 10_000

/** Milliseconds between looks whether signatures have to be renewed: they are when half of an hour or more is over. */
const renewal = 600_000

export interface NodeServiceOptions {
  /** The directory of the database. */
  readonly data: string
  readonly host: string
  /** 0: any. */
  readonly port: number
  readonly store: Store
  readonly site: Site
  readonly publishing: Publishing
  readonly log: Place['log']
}

export interface NodeService {
  /** "127.0.0.1:9965". */
  readonly address: string
  /** Lets requests under way end for so many milliseconds. */
  close(grace: number): Promise<void>
}

/** The control service on Node. undefined when another process serves from the same directory. */
export async function startNodeService(options: NodeServiceOptions): Promise<NodeService | undefined> {
  const { data, store, site, publishing, log } = options
  const sql = await openDatabase(data)
  const letGo = holdAlone(join(data, 'control.lock'))
  if (letGo === undefined) {
    await sql.close()
    return undefined
  }
  const ending = new AbortController()
  const turns = new OwnTurns()
  const place: Place = { sql, store, site, turns, limits: nodeLimits, publishing, now: Date.now, log }
  const service = createService(place, ending.signal)
  const { publisher } = service
  const failed = (error: unknown): void =>
    log('error', 'unpublished', { error: error instanceof Error ? error.message : String(error) })
  await publisher.recover().catch(failed)
  const server = createAdaptorServer({
    fetch: (request, { incoming }) => app.fetch(request, { service, body: incoming }),
    serverOptions: { headersTimeout: headPatience, requestTimeout: patience },
  }) as Server
  server.listen(options.port, options.host)
  await once(server, 'listening').catch(async (error: unknown) => {
    await sql.close()
    letGo()
    throw error
  })
  const timers = [setInterval(() => publisher.recover().catch(failed), retry)]
  if (publishing.validFor !== undefined) timers.push(setInterval(() => publisher.renew().catch(failed), renewal))
  const { address, port } = server.address() as AddressInfo
  return {
    address: hostPort(address, port),
    async close(grace) {
      for (const timer of timers) clearInterval(timer)
      ending.abort()
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const cut = setTimeout(() => server.closeAllConnections(), grace)
      await closed
      clearTimeout(cut)
      await turns.rest()
      await sql.close()
      await store.close()
      letGo()
    },
  }
}
