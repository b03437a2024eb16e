import type { ServiceContext } from './access.ts'
import { permit } from './access.ts'
import type { Progress } from './answers.ts'
import { Refusal } from './refusal.ts'
import { mayDo } from './tokens.ts'

/** Events that wait for a reader; a slower one is let go. */
const maxWaiting = 1_000
/** Milliseconds between signs of life. */
const heartbeat = 15_000

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) of the sets that the token may read. */
export function eventStream(c: ServiceContext): Response {
  permit(c, 'read')
  const { progress, place, ending } = c.env.service
  const { token } = c.var
  if (progress.size >= place.limits.streams)
    throw new Refusal(503, 'busy', 'too many listen already', { retryAfter: 10 })
  const encoder = new TextEncoder()
  let end = (): void => {}
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string): void => {
          if ((controller.desiredSize ?? 0) > -maxWaiting) controller.enqueue(encoder.encode(text))
          else end()
        }
        const deaf = progress.listen((each) => {
          if (mayDo(token, 'read', each.set)) write(eventOf(each))
        })
        const beat = setInterval(() => write(': \n\n'), heartbeat)
        end = () => {
          deaf()
          clearInterval(beat)
          ending.removeEventListener('abort', stop)
          end = () => {}
          controller.close()
        }
        const stop = (): void => end()
        ending.addEventListener('abort', stop)
        write(': \n\n')
      },
      cancel: () => end(),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
}

const eventOf = ({ step, ...more }: Progress): string => `event: ${step}\ndata: ${JSON.stringify(more)}\n\n`
