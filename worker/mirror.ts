import type { Forward } from '../engine/decision.ts'
import { Origin } from '../proto/gen/route_table.ts'
import type { Outgoing } from './origin.ts'
import type { Upstreams } from './tries.ts'

/** How much of a request's body a mirror may lag behind before it is given up, in bytes. */
const maxLag = 1024 * 1024
/** A mirror that has not answered by then is given up, in milliseconds. */
const mirrorTimeout = 10_000

/** Sends a copy of the request to each mirror, drops what they answer, and gives back what the origin is to get. */
export function sendMirrors(
  outgoing: Outgoing,
  forward: Forward,
  scheme: string,
  { origins, balancer, now, random }: Upstreams,
  ctx: ExecutionContext,
): Outgoing {
  const { mirrors, authority } = forward
  const { primary, copies } = mirrorBody(outgoing.body instanceof ReadableStream ? outgoing.body : null, mirrors.length)
  mirrors.forEach((backend, index) => {
    const url = origins.urlOf(backend, forward, scheme)
    if (url === undefined) return
    const picked = backend.origin === Origin.CONNECTOR ? balancer.of(backend).pick(now(), random) : undefined
    const endpoint = picked === undefined ? undefined : backend.endpoints[picked]
    const copy = { ...outgoing, target: url, headers: new Headers(outgoing.headers), body: copies[index] ?? null }
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), mirrorTimeout)
    const send = async (): Promise<void> => {
      const response = await origins.send(backend, endpoint, copy, authority, now(), controller.signal)
      await response?.body?.cancel()
    }
    ctx.waitUntil(
      send()
        .catch(() => undefined)
        .finally(() => clearTimeout(timer)),
    )
  })
  return primary === null ? outgoing : { ...outgoing, body: primary }
}

interface MirroredBody {
  readonly primary: ReadableStream<Uint8Array> | null
  readonly copies: readonly ReadableStream<Uint8Array>[]
}

/**
 * The body once for the origin and once for each mirror. Unlike tee(), the origin sets the pace alone: a copy that lags by
 * more than `maxLag` bytes breaks off, and so its mirror request fails.
 */
export function mirrorBody(body: ReadableStream<Uint8Array> | null, copies: number): MirroredBody {
  if (body === null) return { primary: null, copies: [] }
  const lagging = Array.from({ length: copies }, () => new Copy())
  const reader = body.getReader()
  const primary = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) {
          for (const copy of lagging) copy.end()
          controller.close()
        } else {
          for (const copy of lagging) copy.push(value)
          controller.enqueue(value)
        }
      },
      async cancel(reason) {
        for (const copy of lagging) copy.fail(reason)
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { primary, copies: lagging.map((copy) => copy.stream) }
}

class Copy {
  readonly stream: ReadableStream<Uint8Array>
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => {
          this.#controller = undefined
        },
      },
      { highWaterMark: maxLag, size: (chunk) => chunk.byteLength },
    )
  }

  push(chunk: Uint8Array): void {
    if (this.#controller === undefined) return
    if ((this.#controller.desiredSize ?? 0) < chunk.byteLength) this.fail(new Error('the mirror is too slow'))
    // A chunk's buffer may be taken over by whoever reads it first.
    else this.#controller.enqueue(chunk.slice())
  }

  end(): void {
    this.#controller?.close()
    this.#controller = undefined
  }

  fail(reason: unknown): void {
    this.#controller?.error(reason)
    this.#controller = undefined
  }
}
