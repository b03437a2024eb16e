import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { familyOf, type Prefix } from './bgp/prefix.ts'
import type { Routes } from './bgp/rib-out.ts'
import type { Withheld } from './plan/announcements.ts'
import { type Condition, type NodePlan, type PeerPlan, sourcesOf } from './plan/node-plan.ts'
import { describeAttributes } from './plan/route-attributes.ts'
import type { PeerReport } from './speaker.ts'
import type { SpeakerStatus } from './speaker-messages.ts'
import { peerKey } from './speaker-plan.ts'

/** What `landfall bgp` asks the agent of this machine; times in milliseconds since the epoch. */
export interface AgentStatus {
  readonly node: string
  readonly now: number
  readonly peers: readonly PeerEntry[]
  /** By instance: what there is to announce, whoever is told. */
  readonly available: readonly RouteEntry[]
  readonly withheld: readonly Withheld[]
  readonly conditions: NodePlan['conditions']
  readonly faults: NodePlan['faults']
}

export interface PeerEntry {
  readonly instance: string
  readonly localAsn: number
  readonly peerAsn: number
  readonly name: string
  readonly address: string
  readonly state: string
  readonly establishedAt: number | undefined
  /** Of BFD, where it watches the peer. */
  readonly bfd: 'up' | 'down' | undefined
  readonly families: readonly FamilyEntry[]
  readonly advertised: readonly RouteEntry[]
}

export interface FamilyEntry {
  readonly family: 'ipv4' | 'ipv6'
  readonly received: number
  readonly advertised: number
}

export interface RouteEntry {
  readonly instance: string
  readonly prefix: Prefix
  readonly family: 'ipv4' | 'ipv6'
  readonly attributes: readonly string[]
  readonly sources: readonly string[]
}

export function agentStatus(node: string, now: number, plan: NodePlan, { peers, told }: SpeakerStatus): AgentStatus {
  const { withheld, faults } = plan
  const stuck = peers.flatMap(({ instance, name, fault }): Condition[] =>
    fault === undefined
      ? []
      : [
          {
            object: `CiliumBGPNodeConfig ${node}`,
            type: 'cilium.io/BGPReconcileError',
            message: `peer ${instance}/${name}: ${fault}`,
          },
        ],
  )
  const conditions = [...plan.conditions, ...stuck]
  return {
    node,
    now,
    peers: peers.map((report) => peerEntry(report, told, plan)),
    available: availableRoutes(plan),
    withheld,
    conditions,
    faults,
  }
}

/** Each route of an instance once, whichever of its peers are told. */
export function availableRoutes({ instances }: NodePlan): readonly RouteEntry[] {
  return instances.flatMap(({ name, peers }) => {
    const all = new Map<string, RouteEntry>()
    for (const peer of peers)
      for (const entry of routeEntries(name, peer.routes, peer)) all.set(entry.prefix, all.get(entry.prefix) ?? entry)
    return [...all.values()]
  })
}

function routeEntries(instance: string, routes: Routes, plan: PeerPlan | undefined): readonly RouteEntry[] {
  const sources = sourcesOf(plan ?? { announcements: [] })
  return [...routes].map(([prefix, attributes]) => ({
    instance,
    prefix,
    family: familyOf(prefix),
    attributes: describeAttributes(attributes),
    sources: sources.get(prefix) ?? [],
  }))
}

function peerEntry(report: PeerReport, told: SpeakerStatus['told'], { instances }: NodePlan): PeerEntry {
  const { instance, localAsn, asn, name, address, state, establishedAt, session, received, advertised, isSeen } = report
  const routes = told.get(peerKey({ name: instance }, report)) ?? new Map()
  const plan = instances.find((each) => each.name === instance)?.peers.find((each) => each.name === name)
  return {
    instance,
    localAsn,
    peerAsn: session?.peerAsn ?? asn,
    name,
    address,
    state,
    establishedAt,
    bfd: isSeen === undefined ? undefined : isSeen ? 'up' : 'down',
    families: (session?.families ?? plan?.families ?? []).map((family) => ({
      family,
      received: received[family],
      advertised: advertised[family],
    })),
    advertised: routeEntries(instance, routes, plan),
  }
}

/** Answers GET, as JSON, to the user of this process alone. `answer` gets the path with its query, and gives undefined for what it
 *  does not know. Rejects where another agent answers at `path` already. */
export async function serveStatus(
  path: string,
  answer: (target: URL) => Promise<unknown> | undefined,
  failed: (error: Error) => void,
): Promise<Server> {
  if (await isAnswered(path)) throw new Error(`another agent answers at ${path}; stop it, or name another --socket`)
  rmSync(path, { force: true })
  const server = createServer(async ({ url = '/' }, response) => {
    const target = URL.parse(url, 'http://agent')
    const found = target === null ? undefined : await answer(target)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? null))
  })
  server.on('error', failed)
  // The file is made before listen() returns.
  const before = process.umask(0o177)
  server.listen(path)
  process.umask(before)
  return server
}

/** Whether somebody listens there; what a killed agent has left is only a file. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
