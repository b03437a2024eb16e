import { once } from 'node:events'
import { createServer, isIPv6 } from 'node:net'
import type { Compiled } from '../control/compile/compile.ts'
import { Protocol } from '../proto/gen/route_table.ts'
import type { WorkerdSocket } from './workerd-config.ts'

/** An address to listen on, for the listeners of some Gateways. */
export interface ListenSocket extends WorkerdSocket {
  readonly host: string
  readonly port: number
}

/** The Gateways' addresses by their HTTP listeners' ports, or all Gateways on `port` of 127.0.0.1. */
export function socketsOf({ tables, gateways }: Compiled, port: number | undefined): readonly ListenSocket[] {
  const names = tables.map(({ gateway }) => gateway)
  if (port !== undefined) return [socket('127.0.0.1', port, { gateways: names })]
  const listening = new Map<string, { host: string; port: number; gateways: Set<string> }>()
  for (const { state } of gateways) {
    const { namespace, name } = state.gateway.metadata
    const table = tables.find(({ gateway }) => gateway === `${namespace}/${name}`)
    const ports = new Set(table?.listeners.filter(({ protocol }) => protocol === Protocol.HTTP).map(({ port }) => port))
    for (const { value } of state.addresses) {
      for (const port of ports) {
        const host = value === 'localhost' ? '127.0.0.1' : value
        const key = `${host} ${port}`
        const entry = listening.get(key) ?? { host, port, gateways: new Set() }
        listening.set(key, entry)
        entry.gateways.add(`${namespace}/${name}`)
      }
    }
  }
  return [...listening.values()].map(({ host, port, gateways }) => socket(host, port, { gateways: [...gateways], port }))
}

function socket(host: string, port: number, props: object): ListenSocket {
  const address = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
  return { name: address, address, host, port, props }
}

/** Why a socket cannot be listened on, for a person; undefined when it can. */
export async function whyNot({ address, host, port }: ListenSocket): Promise<string | undefined> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EACCES') return `${address}: ports below 1024 need privileges; use --port 8080 for all Gateways`
    if (code === 'EADDRINUSE') return `${address}: another process listens there already`
    return `${address}: ${error instanceof Error ? error.message : String(error)}`
  }
}
