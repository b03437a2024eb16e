import type { L2Explanation } from '../bgp-agent/l2/explanation.ts'
import type { L2Status } from '../bgp-agent/l2/l2-status.ts'
import type { PlannedAddress } from '../bgp-agent/l2/plan/l2-plan.ts'
import { bad, dim, good, strong, table } from './terminal.ts'

export function plannedTable(addresses: readonly PlannedAddress[]): string {
  const rows = addresses.map(({ address, interfaces, preference, sources }) => [
    address,
    interfaces.join(' '),
    preference === 0 ? '-' : `${preference}`,
    sources.join('; '),
  ])
  return table(['Address', 'Interfaces', 'Preference', 'From'], rows)
}

/** This node and its peers on each interface. */
export function nodesTable({ node, networks }: L2Status): string {
  const rows = networks.flatMap(({ interface: name, isReady, timing, fault, peers }) => [
    [name, node, fault ?? (isReady ? 'ready' : 'listening'), '-', `${timing.detection} ms`],
    ...peers.map((peer) => [
      '',
      peer.node,
      peer.state === 'alive' ? peer.says : peer.state,
      `${peer.silence} ms ago`,
      `${peer.timing.detection} ms`,
    ]),
  ])
  return table(['Interface', 'Node', 'State', 'Heard', 'Detection'], rows)
}

export function addressesTable({ addresses }: L2Status): string {
  const rows = addresses.map(({ address, interface: name, owner = '-', state, requests, answers, gratuitous }) => [
    address,
    name,
    owner,
    state,
    `${requests}`,
    `${answers}`,
    `${gratuitous}`,
  ])
  return table(['Address', 'Interface', 'Owner', 'State', 'Requests', 'Answers', 'Gratuitous'], rows)
}

const verdicts = {
  here: good('answered here'),
  elsewhere: 'answered elsewhere',
  nowhere: bad('not answered'),
  planned: 'may be answered here',
} as const

export function explanationText({ node, address, planned, interfaces, withheld }: L2Explanation): string {
  const lines = interfaces.map(({ interface: name, state, owner, why }) => {
    const who = state === 'elsewhere' ? ` by ${strong(owner ?? '')}` : ''
    return `${verdicts[state]}${who} on ${name}${why === '' ? '' : `: ${why}`}`
  })
  const sources = planned?.sources.map((source) => `  from  ${source}`) ?? []
  const preference = planned === undefined || planned.preference === 0 ? [] : [`  preference  ${planned.preference}`]
  const kept = withheld.map(({ source, why }) => `${bad('withheld')} of ${source}: ${why}`)
  const all = [...lines, ...sources, ...preference, ...kept]
  if (all.length === 0) all.push(bad('not answered'), dim('  nothing that this node knows of has the address'))
  return [`${address} on node ${node}`, ...all].join('\n')
}
