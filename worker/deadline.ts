import type { Forward, Why } from '../engine/decision.ts'

/** The moment at which one try is cut off, wherever it is: HTTPRouteTimeouts reach to the end of the response's body. */
export class Deadline {
  /** Which of the route's timeouts comes first. */
  readonly why: Extract<Why, 'request-timeout' | 'backend-timeout'>
  readonly #controller = new AbortController()
  readonly #timer: ReturnType<typeof setTimeout>

  constructor(milliseconds: number, why: Deadline['why']) {
    this.why = why
    this.#timer = setTimeout(() => this.#controller.abort(), milliseconds)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get passed(): boolean {
    return this.#controller.signal.aborted
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

/** The deadline of a try that begins now, for a request that began at `since`; undefined where the route sets none. */
export function deadlineOf(
  route: Pick<Forward, 'requestTimeout' | 'backendTimeout'>,
  since: number,
  now: number,
): Deadline | undefined {
  const left = route.requestTimeout === 0 ? Number.POSITIVE_INFINITY : route.requestTimeout - (now - since)
  const one = route.backendTimeout === 0 ? Number.POSITIVE_INFINITY : route.backendTimeout
  const first = Math.min(left, one)
  return first === Number.POSITIVE_INFINITY
    ? undefined
    : new Deadline(Math.max(first, 0), left <= one ? 'request-timeout' : 'backend-timeout')
}

/**
 * The response with its body cut off when the deadline passes, which the client sees as a broken connection. An AbortSignal
 * given to fetch() does not reach a body that is passed through, so the body goes through a pipe that it does reach.
 */
export function cutBody(response: Response, deadline: Deadline, ctx: ExecutionContext): Response {
  const { body } = response
  if (body === null) {
    deadline.clear()
    return response
  }
  const length = response.headers.get('content-length')
  const pipe = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length))
  const piping = body.pipeTo(pipe.writable, { signal: deadline.signal })
  // That the pipe broke is for the client to see; nobody else waits for it.
  ctx.waitUntil(piping.catch(() => undefined).finally(() => deadline.clear()))
  return new Response(pipe.readable, response)
}
