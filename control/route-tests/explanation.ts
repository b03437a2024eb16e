import { type ExplainedMatch, type Explanation, explain } from '../../engine/explain.ts'
import { explainStream, type StreamExplanation } from '../../engine/explain-stream.ts'
import type { RequestFacts } from '../../engine/facts.ts'
import { ruleText } from '../rule-name.ts'
import type { Gateways } from './gateways.ts'
import type { StreamSubject } from './subject.ts'
import type { RouteTest } from './test-reader.ts'

/** Matches, or listeners, that lost and are told. */
const nearest = 3

/** What a test's request or connection meets and why, a line each, for those whose test has failed. */
export function explanation({ subject, gateway }: RouteTest, gateways: Gateways, now: number): readonly string[] {
  return subject.type === 'request'
    ? ofRequest(subject.facts, gateway, gateways, now)
    : ofConnection(subject, gateway, gateways)
}

function ofRequest(
  facts: RequestFacts,
  gateway: string | undefined,
  gateways: Gateways,
  now: number,
): readonly string[] {
  const { method, scheme, authority, path, query } = facts
  const title = `${method} ${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`
  const arrival = gateways.arrival(gateway, facts)
  if (arrival !== undefined) {
    const { router, facts: arrived } = arrival
    return [`${title} at Gateway ${router.gateway}`, ...taken(explain(router, arrived, first, now), 'requests')]
  }
  return [
    title,
    ...gateways
      .routers(gateway)
      .flatMap((each) => refused(explain(each, facts, first, now)))
      .slice(0, nearest),
  ]
}

function ofConnection(subject: StreamSubject, gateway: string | undefined, gateways: Gateways): readonly string[] {
  const { type, serverName, port } = subject
  const facts = { protocol: type, port, serverName }
  const title = `${type}://${serverName}:${port}`
  const streams = gateways.place(gateway, subject)?.streams
  if (streams !== undefined) {
    const what = type === 'udp' ? 'clients' : 'connections'
    return [`${title} at Gateway ${streams.gateway}`, ...taken(explainStream(streams, facts, first), what)]
  }
  return [
    title,
    ...gateways
      .streams(gateway)
      .flatMap((each) => refused(explainStream(each, facts, first)))
      .slice(0, nearest),
  ]
}

type Explained = ReturnType<typeof explain> | ReturnType<typeof explainStream>

/** What is drawn is told with all that it may come to. */
const first = (): number => 0

function whole(explained: Explained): Explanation | StreamExplanation {
  if (explained.type === 'missing') throw new Error('a router with its whole table misses something')
  return explained
}

function taken(explained: Explained, what: string): readonly string[] {
  const { listener, winner, others, decision } = whole(explained)
  const lines =
    listener === undefined
      ? []
      : [`listener ${listener.id}, port ${listener.port}, ${listener.hostname || 'any hostname'}`]
  if (winner !== undefined) lines.push(...ruleLines(winner, what))
  else lines.push(decision.type === 'requests' ? 'reads requests, which are routed one by one' : 'no route takes it')
  return [...lines, ...others.slice(0, nearest).map(({ why, ...match }) => `not ${ruleText(match)}: ${why.join('; ')}`)]
}

const refused = (explained: Explained): readonly string[] =>
  whole(explained).otherListeners.map(({ listener: { id }, why }) => `not listener ${id}: ${why}`)

function ruleLines(winner: ExplainedMatch, what: string): readonly string[] {
  return [
    `${ruleText(winner)}, by ${winner.wants.join(', ') || 'everything'}`,
    ...winner.filters.map((filter) => `  filter ${filter}`),
    ...winner.backends.flatMap(({ backend, share, invalid, filters }) => [
      `  backend ${invalid === '' ? backend : `that does not resolve (${invalid})`}, ${(share * 100).toFixed(0)} % of the ${what}`,
      ...filters.map((filter) => `    filter ${filter}`),
    ]),
  ]
}
