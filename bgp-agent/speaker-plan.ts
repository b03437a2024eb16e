import { type RouteChanges, routeChanges } from './bgp/rib-out.ts'
import type { InstancePlan, NodePlan, PeerPlan } from './plan/node-plan.ts'

/** What a speaker needs to know of a plan, besides routes. */
export type SpeakerPeer = Omit<PeerPlan, 'routes' | 'announcements'>
export type SpeakerInstance = Omit<InstancePlan, 'peers'> & { readonly peers: readonly SpeakerPeer[] }

/** "instance/peer". */
export type PeerKey = string

export const peerKey = ({ name }: { readonly name: string }, peer: { readonly name: string }): PeerKey =>
  `${name}/${peer.name}`

export const speakerInstances = ({ instances }: NodePlan): readonly SpeakerInstance[] =>
  instances.map(({ peers, ...instance }) => ({
    ...instance,
    peers: peers.map(({ routes: _, announcements: __, ...peer }) => peer),
  }))

/** For each peer of `after`, what turns its routes in `before` into those that it is to be told. */
export function planChanges(before: NodePlan | undefined, after: NodePlan): ReadonlyMap<PeerKey, RouteChanges> {
  const earlier = new Map(before === undefined ? [] : peersOf(before))
  return new Map(
    [...peersOf(after)].map(([key, { routes }]) => [key, routeChanges(earlier.get(key)?.routes ?? new Map(), routes)]),
  )
}

function* peersOf({ instances }: NodePlan): Generator<[PeerKey, PeerPlan]> {
  for (const instance of instances) for (const peer of instance.peers) yield [peerKey(instance, peer), peer]
}
