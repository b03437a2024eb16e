import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { type Place, type PlaceSockets, placeKey } from './places.ts'
import { Workerd } from './workerd.ts'
import type { WorkerdSetup, WorkerdSocket } from './workerd-config.ts'

export interface GenerationOptions extends Omit<WorkerdSetup, 'sockets'> {
  readonly worker: string
  /** Bearer token of the Worker's own paths. */
  readonly adminToken: string
  readonly log: (line: string) => void
}

/** One workerd with a socket for each place: places that change need another, which takes over from it. */
export class Generation {
  /** Equal for places that the same workerd can serve. */
  readonly key: string
  readonly #directory: string
  readonly #workerd: Workerd
  readonly #options: GenerationOptions
  readonly #sockets = new Map<string, PlaceSockets>()
  readonly #setup: WorkerdSetup

  /** `directory` is to be made. */
  constructor(directory: string, places: readonly Place[], options: GenerationOptions) {
    this.key = keyOf(places)
    this.#directory = directory
    this.#options = options
    this.#workerd = new Workerd(directory, options.log)
    const sockets = places.flatMap((place, index) => this.#socketsFor(place, index))
    this.#setup = {
      ...options,
      sockets: [...sockets, { name: 'admin', address: `unix:${this.#path('admin')}`, props: {} }],
    }
  }

  /** Resolves when its Worker serves what is in the store. */
  async start(): Promise<void> {
    await mkdir(this.#directory)
    await writeFile(join(this.#directory, 'worker.js'), this.#options.worker)
    await this.#workerd.serve(this.#setup)
    await this.refresh()
  }

  socketsOf(place: Place): PlaceSockets {
    const sockets = this.#sockets.get(placeKey(place))
    if (sockets === undefined) throw new Error(`this workerd does not serve ${placeKey(place)}`)
    return sockets
  }

  /** Lets the Worker look at the store at once. Only as good as its timer when it fails. */
  async refresh(): Promise<void> {
    const outgoing = request({
      socketPath: this.#path('admin'),
      path: '/.well-known/landfall/refresh',
      method: 'POST',
      headers: { authorization: `Bearer ${this.#options.adminToken}` },
    })
    outgoing.end()
    const [response] = await once(outgoing, 'response')
    response.resume()
    await once(response, 'end')
  }

  /** Requests under way get `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    await this.#workerd.close(grace)
    await rm(this.#directory, { recursive: true, force: true })
  }

  #socketsFor(place: Place, index: number): WorkerdSocket[] {
    const { gateways, listenerPort, kind, requests, connections } = place
    const props = { gateways, ...(listenerPort === undefined ? {} : { port: listenerPort }) }
    const path = (name: keyof PlaceSockets): string => this.#path(`${index}-${name}`)
    this.#sockets.set(placeKey(place), {
      requests: path('requests'),
      connections: path('connections'),
      endedTls: path('endedTls'),
    })
    const socket = (name: keyof PlaceSockets) => ({ name: `${index} ${name}`, address: `unix:${path(name)}` })
    const raw = (name: keyof PlaceSockets, protocol: string) => ({
      ...socket(name),
      props: { ...props, protocol },
      raw: true as const,
    })
    return [
      ...(requests ? [{ ...socket('requests'), props, edge: true as const }] : []),
      ...(connections ? [raw('connections', kind)] : []),
      ...(connections && kind === 'tls' ? [raw('endedTls', 'ended-tls')] : []),
    ]
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.sock`)
  }
}

export const keyOf = (places: readonly Place[]): string => JSON.stringify(places)
