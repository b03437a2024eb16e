import type { Context, MiddlewareHandler } from 'hono'
import { setName } from './answers.ts'
import { Refusal } from './refusal.ts'
import type { Service } from './service.ts'
import { mayDo, type Token, type Verb } from './tokens.ts'

/** What every handler finds in its context. */
export interface ServiceEnv {
  readonly Bindings: {
    readonly service: Service
    /** The body as it comes, where that is lighter than the request's own. */
    readonly body?: AsyncIterable<Uint8Array>
  }
  readonly Variables: { token: Token }
}

export type ServiceContext = Context<ServiceEnv>

/** Lets a request pass whose token holds; what it may do is for `permit`. */
export const authenticate: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  const { tokens, readRate } = c.env.service
  const words = /^bearer +(\S{1,200})$/i.exec(c.req.header('authorization') ?? '')?.[1]
  const token = words === undefined ? undefined : await tokens.find(words)
  limit(readRate.take(token?.id ?? ''))
  if (token === undefined) throw new Refusal(401, 'unauthenticated', 'a bearer token that holds is needed')
  c.set('token', token)
  await next()
}

/** The set that the path names, if the token may do that with it. Nobody is told of sets that are not theirs. */
export function permittedSet(c: ServiceContext, verb: Verb): string {
  const set = c.req.param('set') ?? ''
  if (!setName.safeParse(set).success) {
    throw new Refusal(400, 'bad-request', 'a set is named by 1 to 63 small letters, digits and hyphens')
  }
  if (!mayDo(c.var.token, verb, set)) {
    throw new Refusal(403, 'not-permitted', `this token is not for ${verb} on the set ${set}`)
  }
  return set
}

/** For what concerns no set in particular. */
export function permit(c: ServiceContext, verb: Verb): void {
  if (!c.var.token.verbs.includes(verb)) throw new Refusal(403, 'not-permitted', `this token is not for ${verb}`)
}

/** Counts a change or a plan. */
export const limitPush = (c: ServiceContext): void => limit(c.env.service.pushRate.take(c.var.token.id))

function limit(wait: number): void {
  if (wait > 0) throw new Refusal(429, 'too-many-requests', `try again in ${wait} s`, { retryAfter: wait })
}
