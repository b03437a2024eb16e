import process from 'node:process'
import { Command, InvalidArgumentError } from 'commander'
import { Project, type Reading } from '../control/project.ts'
import { routerOf } from '../control/router.ts'
import type { Decision } from '../engine/decision.ts'
import { type Explanation, explain } from '../engine/explain.ts'
import type { RequestFacts } from '../engine/facts.ts'
import { grpcStatus, isGrpc } from '../engine/grpc-status.ts'
import { chooseRouter, type Router } from '../engine/router.ts'
import { thisMachine } from '../serve/site.ts'
import { endpointsOf, listenerLine, lostLines, routeLines } from './explain-lines.ts'
import { explainStreamTo, streamOf } from './explain-stream.ts'
import { port } from './port.ts'
import { bad, good, printJson, strong } from './terminal.ts'
import { filesOption, outputOption, UsageError } from './usage.ts'

interface ExplainFlags {
  readonly filename: string[]
  readonly gateway?: string
  readonly port?: number
  readonly request: string
  readonly grpc?: string
  readonly header: readonly (readonly [name: string, value: string])[]
  readonly output?: 'json'
}

export const explainCommand = new Command('explain')
  .description(
    'say which listener, route, rule, match, filters and backend a request, a call or a connection meets, and why the nearest others lost',
  )
  .argument('[url]', 'what a client asks for: http://, https://, or tls://, tcp:// and udp:// with a port')
  .addOption(filesOption())
  .option('--gateway <namespace/name>', 'ask this Gateway; otherwise the one whose listener fits the host best')
  .option('--port <number>', 'the port that the connection comes to; any when neither this nor the URL says one', port)
  .option('--grpc <package.service/method>', 'a call of gRPC, in place of method and path', call)
  .option('-X, --request <method>', 'as curl', 'GET')
  .option('-H, --header <line>', 'as curl; may be given several times', header, [])
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Exits with 1 when Landfall would refuse the request, or the connection.

Examples:
  $ landfall explain -f manifests/ http://shop.example.com/cart
  $ landfall explain -f manifests/ -X POST -H 'x-env: dev' --gateway shop/web --port 8080 http://shop.example.com/cart
  $ landfall explain -f manifests/ --grpc shop.Cart/Add -H 'x-env: dev' https://shop.example.com
  $ landfall explain -f manifests/ tls://db.example.com:443
  $ landfall explain -f manifests/ -o json tcp://192.0.2.10:5432`,
  )
  .action(async (argument: string | undefined, flags: ExplainFlags) => {
    // Behind `-f PATH…` the URL is taken for one more path.
    const url = argument ?? (flags.filename.length > 1 ? flags.filename.at(-1) : undefined)
    if (url === undefined) throw new UsageError('which URL? Write one behind the options, as http://host/path')
    const stream = streamOf(url, flags.port)
    const paths = argument === undefined ? flags.filename.slice(0, -1) : flags.filename
    if (stream !== undefined) {
      if (flags.grpc !== undefined) throw new UsageError(`--grpc is of requests; write http:// or https:// for ${url}`)
      const reading = await new Project(paths, thisMachine()).read()
      explainStreamTo(stream, routersOf(reading, flags.gateway), reading, flags.output === 'json')
      return
    }
    const facts = factsOf(url, flags)
    const reading = await new Project(paths, thisMachine()).read()
    const routers = routersOf(reading, flags.gateway)
    const router = chooseRouter(routers, facts) ?? routers[0]
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

function call(text: string): string {
  const name = text.replace(/^\//, '')
  if (!/^[\w.]+\/\w+$/.test(name)) throw new InvalidArgumentError("a call is written as 'package.Service/Method'.")
  return name
}

function factsOf(text: string, { port, request, header, grpc }: ExplainFlags): RequestFacts {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`${JSON.stringify(text)} is no URL; write http://host/path, or tls://host:port`)
  }
  if (grpc !== undefined && (url.pathname !== '/' || url.search !== ''))
    throw new UsageError('--grpc says what is called; leave the path out of the URL')
  const sent = grpc === undefined ? header : [...header, ['content-type', 'application/grpc'] as const]
  const headers = Map.groupBy(sent, ([name]) => name)
  return {
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    authority: headers.get('host')?.[0]?.[1] ?? url.host,
    port: port ?? (url.port === '' ? undefined : Number(url.port)),
    method: grpc === undefined ? request : 'POST',
    path: grpc === undefined ? url.pathname : `/${grpc}`,
    query: url.search.slice(1),
    header: (name) =>
      headers
        .get(name)
        ?.map(([, value]) => value)
        .join(','),
  }
}

/** One at least. */
function routersOf({ compiled }: Reading, gateway: string | undefined): readonly [Router, ...Router[]] {
  const tables = compiled.tables.filter((table) => gateway === undefined || table.gateway === gateway)
  const [first, ...others] = tables.flatMap((table) => routerOf(table) ?? [])
  if (first !== undefined) return [first, ...others]
  const names = compiled.tables.map((table) => table.gateway)
  throw new UsageError(
    names.length === 0
      ? 'the manifests have no Gateway that is served; landfall status says why'
      : `there is no Gateway ${gateway}; there are ${names.join(', ')}`,
  )
}

function text(explanation: Explanation, router: Router, reading: Reading, facts: RequestFacts): string[] {
  const { decision, listener, hostnames, winner, others, otherListeners } = explanation
  const lines = [strong(titleOf(facts)), `  Gateway   ${router.gateway}`]
  if (listener !== undefined) lines.push(listenerLine(listener))
  if (winner === undefined && listener !== undefined && decision.type === 'respond' && hostnames.length === 0) {
    lines.push(`  hostname  no route of this listener is for ${facts.authority}`)
  }
  if (winner !== undefined) lines.push(...routeLines(winner, 'requests', reading))
  lines.push(`  answer    ${answer(decision, isCall(facts))}`, ...lostLines(others, reading))
  if (listener === undefined) {
    for (const other of otherListeners) lines.push(`  listener ${other.listener.id}: ${other.why}`)
  }
  return lines
}

const isCall = (facts: RequestFacts): boolean => facts.method === 'POST' && isGrpc(facts.header('content-type'))

function titleOf(facts: RequestFacts): string {
  const { method, scheme, authority, path, query } = facts
  if (isCall(facts)) return `gRPC ${path.slice(1)} at ${scheme}://${authority}`
  return `${method} ${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`
}

/** A client that speaks gRPC is told by grpc-status. */
function answer(decision: Explanation['decision'], isCall: boolean): string {
  switch (decision.type) {
    case 'forward':
      return good(`forwards to ${upstream(decision)}`)
    case 'redirect':
      return good(`${decision.status} to ${decision.location}`)
    case 'respond':
      return decision.status < 400
        ? good(`${decision.status} ${decision.why}`)
        : bad(`${decision.status} ${decision.why}${isCall ? `, as grpc-status ${grpcStatus(decision.status)}` : ''}`)
  }
}

function upstream({ backend, authority, path, query, mirrors }: Extract<Decision, { type: 'forward' }>): string {
  const copies = mirrors.length === 0 ? '' : `, copied to ${mirrors.map(({ key }) => key).join(', ')}`
  return `${backend.key} at ${endpointsOf(backend)} as ${path}${query === '' ? '' : `?${query}`} with Host ${authority}${copies}`
}
