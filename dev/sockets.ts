import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, isIPv6 } from 'node:net'
import { isProgrammed, type ListenerState } from '../control/compile/listeners.ts'
import type { Reading } from '../control/project.ts'
import type { Snapshot } from '../control/snapshot.ts'
import { nameOf } from '../control/snapshot-index.ts'
import type { KeyPair, WorkerdSocket } from './workerd-config.ts'

/** An address to listen on, for the listeners of some Gateways. */
export interface ListenSocket extends WorkerdSocket {
  readonly host: string
  readonly port: number
  /** As "namespace/name". */
  readonly gateways: readonly string[]
}

interface Place {
  readonly host: string
  readonly port: number
  readonly gateways: Set<string>
  /** Of the first listener there: workerd has one certificate a socket. */
  readonly keyPair: KeyPair | undefined
}

/** The Gateways' addresses by the ports of their HTTP and HTTPS listeners, or all Gateways' HTTP on `port` of 127.0.0.1. */
export function socketsOf({ compiled, snapshot }: Reading, port: number | undefined): readonly ListenSocket[] {
  const served = new Set(compiled.tables.map(({ gateway }) => gateway))
  if (port !== undefined) return [socket({ host: '127.0.0.1', port, gateways: served, keyPair: undefined }, undefined)]
  const places = new Map<string, Place>()
  for (const { state, listeners, sets } of compiled.gateways) {
    const gateway = nameOf(state.gateway.metadata.namespace, state.gateway.metadata.name)
    if (!served.has(gateway)) continue
    for (const listener of [...listeners, ...sets.flatMap((set) => set.listeners)]) {
      const { protocol, port } = listener.listener
      if ((protocol !== 'HTTP' && protocol !== 'HTTPS') || !isProgrammed(listener)) continue
      const keyPair = protocol === 'HTTPS' ? keyPairOf(listener, snapshot) : undefined
      if (protocol === 'HTTPS' && keyPair === undefined) continue
      for (const { value } of state.addresses) {
        const host = value === 'localhost' ? '127.0.0.1' : value
        const key = `${host} ${port}`
        const place = places.get(key) ?? { host, port, gateways: new Set(), keyPair }
        places.set(key, place)
        place.gateways.add(gateway)
      }
    }
  }
  return [...places.values()].map((place) => socket(place, place.port))
}

function socket({ host, port, gateways, keyPair }: Place, listenerPort: number | undefined): ListenSocket {
  const address = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
  const names = [...gateways]
  const props = { gateways: names, ...(listenerPort === undefined ? {} : { port: listenerPort }) }
  return { name: address, address, host, port, gateways: names, props, ...(keyPair && { keyPair }) }
}

/** The first of a listener's certificates that is there; compile has checked that it is good. */
function keyPairOf({ owner, listener }: ListenerState, snapshot: Snapshot): KeyPair | undefined {
  for (const { namespace, name } of listener.tls?.certificateRefs ?? []) {
    const data = snapshot.look('Secret', nameOf(namespace ?? owner.metadata.namespace, name))?.data
    const [privateKey, certificateChain] = ['tls.key', 'tls.crt'].map((key) =>
      Buffer.from(data?.[key] ?? '', 'base64').toString(),
    )
    if (privateKey && certificateChain) return { privateKey, certificateChain }
  }
  return undefined
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
