import type { AgentStatus, RouteEntry } from '../bgp-agent/status-socket.ts'

/** Columns as wide as their widest cell, three spaces apart, as others print them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('   ')
      .trimEnd()
  return all.map(line).join('\n')
}

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

/** As `cilium bgp peers`: a peer's further families are on lines of their own. */
export function peersTable({ node, now, peers }: AgentStatus): string {
  const rows = peers.flatMap((peer, index) =>
    peer.families.map(({ family, received, advertised }, nth) => {
      const uptime = peer.establishedAt === undefined ? '0s' : duration(now - peer.establishedAt)
      const who = [index === 0 ? node : '', `${peer.localAsn}`, `${peer.peerAsn}`, peer.address, peer.state, uptime]
      return [...(nth === 0 ? who : who.map(() => '')), familyName(family), `${received}`, `${advertised}`]
    }),
  )
  const head = [
    'Node',
    'Local AS',
    'Peer AS',
    'Peer Address',
    'Session State',
    'Uptime',
    'Family',
    'Received',
    'Advertised',
  ]
  return table(head, rows)
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
