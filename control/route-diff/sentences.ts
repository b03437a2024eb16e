import { ruleText } from '../rule-name.ts'
import type { Change } from './change.ts'
import type { Connection } from './connections.ts'
import type { Unreached } from './reach.ts'
import type { RouteDiff } from './route-diff.ts'
import { witnessText } from './witness.ts'

/** A change in a few words, and whether something came, went or is another now. */
export interface Title {
  readonly mark: '+' | '-' | '~'
  readonly text: string
}

export function titleOf({ kind, subject, before, after, facets, rules }: Change): Title {
  const [old, young] = [before && ruleText(before), after && ruleText(after)]
  switch (kind) {
    case 'listener-added':
      return { mark: '+', text: `listener ${subject}${rules > 1 ? `, with ${rules} rules` : ''}` }
    case 'listener-removed':
      return { mark: '-', text: `listener ${subject}${rules > 1 ? `, with ${rules} rules` : ''}` }
    case 'backend-changed':
      return { mark: '~', text: `backend ${subject}` }
    case 'rule-added':
      return { mark: '+', text: old === undefined ? `${young}` : `${young}, in place of ${old}${others(rules)}` }
    case 'rule-removed':
      return { mark: '-', text: young === undefined ? `${old}` : `${old}, in favour of ${young}${others(rules)}` }
    case 'rule-moved':
      return { mark: '~', text: `${young} takes requests of ${old}` }
    case 'rule-changed':
      if (old === undefined) return { mark: '~', text: `${young} takes requests that met no route` }
      if (young === undefined) return { mark: '~', text: `${old} leaves requests without a route` }
      return { mark: '~', text: `${young}: ${facets.join(', ')}` }
  }
}

const others = (rules: number): string => (rules < 2 ? '' : ` and ${rules - 1} other rule${rules === 2 ? '' : 's'}`)

export const connectionText = ({ protocol, port, serverName }: Connection): string =>
  protocol === 'TLS'
    ? `TLS to port ${port}${serverName === '' ? ' without a server name' : ` for ${serverName}`}`
    : `${protocol} to port ${port}`

export function unreachedText({ rule, isNew, by, witness }: Unreached): string {
  const what = `${ruleText(rule)} is reached by no request${isNew ? '' : ' any more'}`
  if (by === undefined || witness === undefined) return `${what}: nothing can match it`
  return `${what}: ${ruleText(by)} takes ${witnessText(witness)}`
}

/** "Gateway shop/web", and whether it comes or goes. */
export function gatewayText({ gateway, gatewayChange }: RouteDiff): string {
  const change = { added: ', which is new', removed: ', which is gone', kept: '' }[gatewayChange]
  return `Gateway ${gateway}${change}`
}

export const incompleteText = 'Not everything was looked at: the tables or their regular expressions differ too much.'

const KINDS = [
  ['listener-added', 'listener added'],
  ['listener-removed', 'listener removed'],
  ['rule-added', 'rule added'],
  ['rule-removed', 'rule removed'],
  ['rule-changed', 'rule changed'],
  ['rule-moved', 'rule that takes requests of another'],
  ['backend-changed', 'backend changed'],
] as const

/** "2 rules added, 1 backend changed", or that there is nothing. */
export function summaryText(diffs: readonly RouteDiff[]): string {
  const count = (number: number, words: string): readonly string[] =>
    number === 0
      ? []
      : [
          number === 1
            ? `1 ${words}`
            : `${number} ${words.replace(/^\w+/, '$&s').replace('s that takes', 's that take')}`,
        ]
  const changes = diffs.flatMap((diff) => diff.changes)
  const parts = [
    ...KINDS.flatMap(([kind, words]) => count(changes.filter((change) => change.kind === kind).length, words)),
    ...count(diffs.flatMap(({ connections }) => connections).length, 'connection changed'),
    ...count(diffs.flatMap(({ settings }) => settings).length, 'setting changed'),
  ]
  return parts.length === 0 ? 'no request changes its fate' : parts.join(', ')
}
