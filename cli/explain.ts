import process from 'node:process'
import { Command, InvalidArgumentError } from 'commander'
import { Project, type Reading } from '../control/project.ts'
import { routerOf } from '../control/router.ts'
import type { Decision } from '../engine/decision.ts'
import { type ExplainedMatch, type Explanation, explain } from '../engine/explain.ts'
import type { RequestFacts } from '../engine/facts.ts'
import { chooseRouter, type Router } from '../engine/router.ts'
import { thisMachine } from '../serve/site.ts'
import { port } from './port.ts'
import { bad, dim, good, printJson, strong } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

interface ExplainFlags {
  readonly filename: string[]
  readonly gateway?: string
  readonly port?: number
  readonly request: string
  readonly header: readonly (readonly [name: string, value: string])[]
  readonly output?: 'json'
}

export const explainCommand = new Command('explain')
  .description(
    'say which listener, route, rule, match, filters and backend a request meets, and why the nearest others lost',
  )
  .argument('[url]', 'what a client asks for')
  .addOption(filesOption())
  .option('--gateway <namespace/name>', 'ask this Gateway; otherwise the one whose listener fits the host best')
  .option('--port <number>', 'the port that the connection comes to; any when neither this nor the URL says one', port)
  .option('-X, --request <method>', 'as curl', 'GET')
  .option('-H, --header <line>', 'as curl; may be given several times', header, [])
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Exits with 1 when Landfall would refuse the request.

Examples:
  $ landfall explain -f manifests/ http://shop.example.com/cart
  $ landfall explain -f manifests/ -X POST -H 'x-env: dev' --gateway shop/web --port 8080 http://shop.example.com/cart`,
  )
  .action(async (argument: string | undefined, flags: ExplainFlags) => {
    // Behind `-f PATH…` the URL is taken for one more path.
    const url = argument ?? (flags.filename.length > 1 ? flags.filename.at(-1) : undefined)
    if (url === undefined) throw new UsageError('which URL? Write one behind the options, as http://host/path')
    const facts = factsOf(url, flags)
    const paths = argument === undefined ? flags.filename.slice(0, -1) : flags.filename
    const reading = await new Project(paths, thisMachine()).read()
    const router = routerFor(reading, flags.gateway, facts)
    const explanation = explain(router, facts, Math.random, Date.now())
    if (explanation.type === 'missing') throw new Error('a router with its whole table misses something')
    if (flags.output === 'json') printJson({ gateway: router.gateway, ...explanation })
    else process.stdout.write(`${text(explanation, router, reading, facts).join('\n')}\n`)
    const { decision } = explanation
    if (decision.type === 'respond' && decision.status >= 400) process.exitCode = 1
  })

function header(line: string, before: ExplainFlags['header']): ExplainFlags['header'] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError("a header is written as 'name: value'.")
  return [...before, [name.toLowerCase(), value]]
}

function factsOf(text: string, { port, request, header }: ExplainFlags): RequestFacts {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`${JSON.stringify(text)} is no URL; write http://host/path`)
  }
  const headers = Map.groupBy(header, ([name]) => name)
  return {
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    authority: headers.get('host')?.[0]?.[1] ?? url.host,
    port: port ?? (url.port === '' ? undefined : Number(url.port)),
    method: request,
    path: url.pathname,
    query: url.search.slice(1),
    header: (name) =>
      headers
        .get(name)
        ?.map(([, value]) => value)
        .join(','),
  }
}

function routerFor({ compiled }: Reading, gateway: string | undefined, facts: RequestFacts): Router {
  const tables = compiled.tables.filter((table) => gateway === undefined || table.gateway === gateway)
  const routers = tables.flatMap((table) => routerOf(table) ?? [])
  const router = chooseRouter(routers, facts) ?? routers[0]
  if (router !== undefined) return router
  const names = compiled.tables.map((table) => table.gateway)
  throw new UsageError(
    names.length === 0
      ? 'the manifests have no Gateway that is served; landfall status says why'
      : `there is no Gateway ${gateway}; there are ${names.join(', ')}`,
  )
}

function text(explanation: Explanation, router: Router, reading: Reading, facts: RequestFacts): string[] {
  const { decision, listener, hostnames, winner, others, otherListeners } = explanation
  const { method, scheme, authority, path, query } = facts
  const lines = [strong(`${method} ${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`)]
  lines.push(`  Gateway   ${router.gateway}`)
  if (listener !== undefined) {
    lines.push(
      `  listener  ${listener.id} (port ${listener.port}, ${listener.hostname === '' ? 'any hostname' : listener.hostname})`,
    )
  }
  if (winner === undefined && listener !== undefined && decision.type === 'respond' && hostnames.length === 0) {
    lines.push(`  hostname  no route of this listener is for ${authority}`)
  }
  if (winner !== undefined) {
    lines.push(`  route     ${ruleName(winner)}  ${dim(placeOf(winner, reading))}`)
    lines.push(`  match     ${winner.wants.join(', ') || 'everything'}`)
    lines.push(...winner.filters.map((filter) => `  filter    ${filter}`))
    for (const { backend, share, invalid, filters } of winner.backends) {
      const what = invalid === '' ? backend : bad(`${backend || 'a reference'} that does not resolve: ${invalid}`)
      lines.push(
        `  backend   ${what} (${(share * 100).toFixed(0)} % of the requests)`,
        ...filters.map((filter) => `            ${filter}`),
      )
    }
  }
  lines.push(`  answer    ${answer(decision)}`)
  if (others.length > 0) lines.push('Matches that lost, the nearest first:')
  for (const { why, wants, ...lost } of others) {
    lines.push(
      `  ${ruleName(lost)}  ${dim(placeOf(lost, reading))}`,
      `    ${wants.join(', ') || 'everything'}: ${why.join('; ')}`,
    )
  }
  if (listener === undefined) {
    for (const other of otherListeners) lines.push(`  listener ${other.listener.id}: ${other.why}`)
  }
  return lines
}

const ruleName = ({ route, rule, ruleName }: Pick<ExplainedMatch, 'route' | 'rule' | 'ruleName'>): string =>
  `${route} rule ${rule}${ruleName === '' ? '' : ` "${ruleName}"`}`

/** Where the rule is written. */
function placeOf({ route, rule }: Pick<ExplainedMatch, 'route' | 'rule'>, { loaded }: Reading): string {
  const object = loaded.objects.find(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}` === route)
  if (object === undefined) return ''
  const { file, line } = loaded.where(object, ['spec', 'rules', rule])
  return `${file}:${line}`
}

function answer(decision: Explanation['decision']): string {
  switch (decision.type) {
    case 'forward':
      return good(`forwards to ${upstream(decision)}`)
    case 'redirect':
      return good(`${decision.status} to ${decision.location}`)
    case 'respond':
      return decision.status < 400
        ? good(`${decision.status} ${decision.why}`)
        : bad(`${decision.status} ${decision.why}`)
  }
}

function upstream({ backend, authority, path, query, mirrors }: Extract<Decision, { type: 'forward' }>): string {
  const endpoints = backend.endpoints.map(({ address, port }) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  )
  const where = endpoints.length > 0 ? endpoints.join(' or ') : backend.originAddress
  const copies = mirrors.length === 0 ? '' : `, copied to ${mirrors.map(({ key }) => key).join(', ')}`
  return `${backend.key} at ${where} as ${path}${query === '' ? '' : `?${query}`} with Host ${authority}${copies}`
}
