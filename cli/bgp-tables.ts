import type { Explanation } from '../bgp-agent/explanation.ts'
import type { RoutePolicy } from '../bgp-agent/route-policies.ts'
import type { AgentStatus, RouteEntry } from '../bgp-agent/status-socket.ts'
import { bad, dim, good, strong, table } from './terminal.ts'

/** How many prefixes of a policy are named. */
const maxNamed = 5

/** "3h25m": the two largest units of so many milliseconds. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  return first === -1
    ? '0s'
    : parts
        .slice(first, first + 2)
        .map(([count, unit]) => `${count}${unit}`)
        .join('')
}

const familyName = (family: RouteEntry['family']): string => `${family}/unicast`

/** As `cilium bgp peers`: a peer's further families are on lines of their own. A column for BFD where it watches a peer. */
export function peersTable({ node, now, peers }: AgentStatus): string {
  const hasBfd = peers.some(({ bfd }) => bfd !== undefined)
  const rows = peers.flatMap((peer, index) =>
    peer.families.map(({ family, received, advertised }, nth) => {
      const uptime = peer.establishedAt === undefined ? '0s' : duration(now - peer.establishedAt)
      const who = [index === 0 ? node : '', `${peer.localAsn}`, `${peer.peerAsn}`, peer.address, peer.state, uptime]
      const of = [...who, ...(hasBfd ? [peer.bfd ?? '-'] : [])]
      return [...(nth === 0 ? of : of.map(() => '')), familyName(family), `${received}`, `${advertised}`]
    }),
  )
  const of = ['Node', 'Local AS', 'Peer AS', 'Peer Address', 'Session State', 'Uptime', ...(hasBfd ? ['BFD'] : [])]
  return table([...of, 'Family', 'Received', 'Advertised'], rows)
}

/** Routes, and with `peer` whom they were told. */
export function routesTable(routes: readonly (RouteEntry & { readonly peer?: string })[], hasPeers: boolean): string {
  const head = ['Instance', ...(hasPeers ? ['Peer'] : []), 'Prefix', 'Attributes', 'From']
  const rows = routes.map(({ instance, peer = '', prefix, attributes, sources }) => [
    instance,
    ...(hasPeers ? [peer] : []),
    prefix,
    attributes.join(', ') || '-',
    sources.join('; '),
  ])
  return table(head, rows)
}

/** The columns of `cilium-dbg bgp route-policies`. */
export function policiesTable(policies: readonly RoutePolicy[]): string {
  const head = ['Instance', 'Policy', 'Type', 'Peer', 'Family', 'Prefixes', 'Action', 'Attributes']
  const rows = policies.map(({ instance, name, type, peer, family, prefixes, action, attributes }) => {
    const named = prefixes.slice(0, maxNamed).join(' ')
    const more = prefixes.length > maxNamed ? ` and ${prefixes.length - maxNamed} more` : ''
    return [
      instance,
      name,
      type,
      peer,
      family,
      named === '' ? 'any' : named + more,
      action,
      attributes.join(', ') || '-',
    ]
  })
  return table(head, rows)
}

export function explanationText({ node, address, routes, withheld, unselected }: Explanation): string {
  const lines = routes.flatMap(({ instance, prefix, sources, peers }) => [
    `${good('announced')} as ${strong(prefix)} by instance ${instance}`,
    ...sources.map((source) => `  from  ${source}`),
    ...peers.map(({ name, address, state, attributes, why }) => {
      const verdict = state === 'not told' ? bad('not told') : state === 'told' ? good('told') : 'would be told'
      const said = [...attributes, ...(why === '' ? [] : [why])].join(', ')
      return `  to    ${name} (${address}): ${verdict}${said === '' ? '' : `, ${said}`}`
    }),
  ])
  const kept = [
    ...withheld.map(({ prefix, source, why }) => `${bad('withheld')} ${prefix} of ${source}: ${why}`),
    ...unselected.map((holder) => `${bad('withheld')} of ${holder}: no advertisement selects it`),
  ]
  const all = [...lines, ...kept]
  if (all.length === 0) all.push(bad('not announced'), dim('  nothing that this node knows of has the address'))
  return [`${address} on node ${node}`, ...all].join('\n')
}
