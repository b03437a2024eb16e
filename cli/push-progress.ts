import { type Progress, progress } from '../control/service/answers.ts'
import { dim } from './terminal.ts'

/** Milliseconds that events may take to begin, before the push goes on without them. */
const patience = 2_000

/** Back to the begin of the line, which is emptied: ECMA-48, CR and EL. */
const emptyLine = '\r\x1b[2K'

/** Characters of one event. */
const maxEvent = 10_000

interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Where server-sent events come from, as ControlClient has them. */
interface Events {
  events(signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined>
}

/** Shows on a terminal how a change of a set gets on while `job` waits for its end, and leaves nothing there. Shows nothing where the
 *  token may not read. */
export async function withProgress<T>(
  client: Events,
  set: string,
  terminal: Terminal,
  job: () => Promise<T>,
): Promise<T> {
  if (terminal.isTTY !== true) return job()
  const over = new AbortController()
  const late = setTimeout(() => over.abort(), patience)
  const events = await client.events(over.signal)
  clearTimeout(late)
  if (events === undefined) return job()
  const reader = events.getReader()
  // A push does not fail because nobody can see it.
  const shown = show(reader, set, terminal).catch(() => {})
  try {
    return await job()
  } finally {
    await reader.cancel().catch(() => {})
    await shown
    terminal.write(emptyLine)
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>

async function show(reader: Reader, set: string, terminal: Terminal): Promise<void> {
  for await (const each of progressIn(reader)) {
    if (each.set === set) terminal.write(`${emptyLine}${dim(textOf(each))}`)
  }
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as the service writes it. */
async function* progressIn(reader: Reader): AsyncGenerator<Progress> {
  const decoder = new TextDecoder()
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    if (text.length > maxEvent) return
    for (const block of blocks) {
      const [, step, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      // A comment is a sign of life.
      if (data !== undefined) yield progress.parse({ step, ...JSON.parse(data) })
    }
  }
}

function textOf({ set, step, version, written = 0, total = 0 }: Progress): string {
  switch (step) {
    case 'kept':
      return `${set}: version ${version} is kept`
    case 'writing':
      return `${set}: version ${version}, ${written} of ${total} entries written`
    default:
      return `${set}: ${step}`
  }
}
