import * as z from 'zod'
import { headerName, integer, list, port, text } from '../../kube/fields.ts'
import { type Report, rule } from '../../kube/rule.ts'
import { expectation, percent } from './expectation.ts'

// What a file of route tests may say. docs/route-tests.md has it in words.

/** metadata of an object that no cluster has: with these a file of tests may stand among manifests. */
export const testsKind = 'RouteTests'

const anyText = (is: string) => text(is, 4096, undefined, 0)

const headers = z
  .record(z.string(), z.union([z.string(), z.array(z.string())], { error: 'is no text or list of texts; use quotes' }))
  .check(
    rule((values, report) => {
      for (const name of Object.keys(values)) {
        if (!headerName.safeParse(name).success) report([name], `${JSON.stringify(name)} is no name of a header`)
        if (name.toLowerCase() === 'host') report([name], 'has a field of its own; write host: beside headers')
      }
    }),
  )

/** What a test may say, and a file for all of its tests. */
const settings = {
  gateway: text('a Gateway, as namespace/name', 317).exactOptional(),
  scheme: z.enum(['http', 'https']).exactOptional(),
  host: text('what a client sends as Host, such as shop.example.com', 261).exactOptional(),
  port: port.exactOptional(),
  headers: headers.exactOptional(),
  draws: integer('how often to draw, from 1 to 1000000', 1, 1_000_000).exactOptional(),
  seed: integer('a whole number').exactOptional(),
  tolerance: percent.exactOptional(),
}

/** A test is about one of these. */
const subjects = ['request', 'grpc', 'tls', 'tcp', 'udp'] as const

const test = z
  .strictObject({
    name: text('what is proved, in a few words', 200),
    request: anyText('what a client asks for, such as GET /cart or http://shop.example.com/cart').exactOptional(),
    grpc: anyText('a call, such as shop.Cart/Add').exactOptional(),
    tls: anyText("a connection's server name, such as db.example.com or db.example.com:5432").exactOptional(),
    tcp: port.exactOptional(),
    udp: port.exactOptional(),
    ...settings,
    expect: expectation,
  })
  .check(
    rule((value, report) => {
      const given = subjects.filter((name) => value[name] !== undefined)
      const [first, second] = given
      if (first === undefined) report([], 'asks for nothing; write request, grpc, tls, tcp or udp')
      else if (second !== undefined) report([second], `stands beside ${first}; a test is about one of them`)
      else if (first === 'tls' || first === 'tcp' || first === 'udp') streamFaults(value, report)
    }),
  )

const ofRequests = ['scheme', 'host', 'headers'] as const
const ofAnswers = ['status', 'redirect', 'upstream', 'requestHeaders', 'responseHeaders', 'mirrors'] as const

/** A connection has nothing of a request. */
function streamFaults(value: z.output<typeof test>, report: Report): void {
  for (const field of ofRequests) if (value[field] !== undefined) report([field], 'is of requests, not of connections')
  for (const field of ofAnswers) {
    if (value.expect[field] === undefined) continue
    report(['expect', field], 'is of requests; of a connection expect route, rule, listener, backend, distribution, …')
  }
}

export const testFile = z.strictObject({
  apiVersion: z.literal('landfall.dev/v1').exactOptional(),
  kind: z.literal(testsKind).exactOptional(),
  metadata: z.looseObject({}).exactOptional(),
  defaults: z.strictObject(settings).exactOptional(),
  tests: list(test, 100_000, 1),
})

export type TestFields = z.output<typeof test>
export type Defaults = NonNullable<z.output<typeof testFile>['defaults']>
