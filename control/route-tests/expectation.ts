import * as z from 'zod'
import type { Why } from '../../engine/decision.ts'
import { integer, list, text } from '../../kube/fields.ts'
import { rule } from '../../kube/rule.ts'
import { backendPattern, routePattern } from './name-pattern.ts'

/** Every Why that is decided from a table. */
const reasons = [
  'no-listener',
  'no-route',
  'no-backends',
  'invalid-backend',
  'invalid-rule',
  'no-endpoints',
  'cors-preflight',
] as const satisfies readonly Why[]

const backend = text('a backend, as service, namespace/service or namespace/service:port', 400, backendPattern)

export const percent = z.number().check(
  rule((value, report) => {
    if (value < 0 || value > 100) report([], `${value} is no percentage; write a number from 0 to 100`)
  }),
)

/** Percent of the requests by backend. */
const shares = z.record(z.string(), percent).check(
  rule((value, report) => {
    for (const name of Object.keys(value)) {
      if (backendPattern.test(name) || isStatus(name)) continue
      report([name], `${JSON.stringify(name)} is no backend; write one as service or namespace/service:port`)
    }
  }),
)

/** Whether a key of a distribution stands for requests that Landfall itself answers. No Service is named like that. */
export const isStatus = (key: string): boolean => /^[1-5]\d\d$/.test(key)

const distribution = shares.check(
  rule((value, report) => {
    const sum = Object.values(value).reduce((all, each) => all + each, 0)
    // Thirds may be rounded.
    if (Math.abs(sum - 100) > 1) report([], `adds up to ${sum}; shares are in percent, and add up to 100`)
  }),
)

const values = z
  .record(
    z.string(),
    z.union([z.string(), z.array(z.string()).min(1, 'is an empty list')], {
      error: 'is no text or list of texts; put a text in quotes',
    }),
  )
  .check(notEmpty('name: value'))

/** HTTPHeaderFilter, as what comes of it. */
const headerChanges = z
  .strictObject({
    set: values.exactOptional(),
    add: values.exactOptional(),
    remove: list(z.string(), 100, 1).exactOptional(),
  })
  .check(notEmpty('set, add or remove'))

const upstream = z
  .strictObject({
    host: text('the Host that the backend gets', 261).exactOptional(),
    path: text('the path that the backend gets, beginning with "/"', 8192, /^\//).exactOptional(),
  })
  .check(notEmpty('host or path'))

function notEmpty(fields: string) {
  return rule((value: object, report) => {
    if (Object.keys(value).length === 0) report([], `is empty; write ${fields}`)
  })
}

const what = 'what is expected, such as backend: cart or status: 404'

const missing = ({ code, input }: { readonly code: string; readonly input?: unknown }): string | undefined => {
  if (code !== 'invalid_type' || (input !== undefined && input !== null)) return undefined
  return `is ${input === null ? 'empty' : 'missing'}; write ${what}`
}

const fields = z
  .strictObject(
    {
      listener: text('the name of a listener', 600).exactOptional(),
      route: text('a route, as name, namespace/name or HTTPRoute namespace/name', 400, routePattern).exactOptional(),
      rule: z
        .union([z.string(), z.number()], { error: 'is neither the name of a rule nor its place in the route, from 0' })
        .exactOptional(),
      backend: z.union([backend, list(backend, 100, 1)], { error: backendWords }).exactOptional(),
      distribution: distribution.exactOptional(),
      mirrors: z.union([list(backend, 100), shares], { error: mirrorWords }).exactOptional(),
      status: integer('a status from 200 to 599', 200, 599).exactOptional(),
      redirect: text('where a redirect leads: the value of Location', 8192).exactOptional(),
      reason: z.enum(reasons).exactOptional(),
      reachable: z.boolean().exactOptional(),
      upstream: upstream.exactOptional(),
      requestHeaders: headerChanges.exactOptional(),
      responseHeaders: headerChanges.exactOptional(),
    },
    { error: missing },
  )
  .check(notEmpty(what))

function backendWords(): string {
  return 'is no backend, or list of backends of which any will do; write one as service or namespace/service:port'
}

function mirrorWords(): string {
  return 'is neither a list of backends that all get a copy, nor backends with their percent of the requests'
}

/** A number alone is a status, a text alone a backend. */
export const expectation = z.preprocess((value) => {
  if (typeof value === 'number') return { status: value }
  return typeof value === 'string' ? { backend: value } : value
}, fields)

export type Expectation = z.output<typeof fields>
export type HeaderChanges = z.output<typeof headerChanges>
export type Shares = z.output<typeof shares>
