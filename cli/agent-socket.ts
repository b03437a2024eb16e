import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { UsageError } from './usage.ts'

/** What the agent at a socket answers; `command` is how one is started. */
export async function askAgent<T>(socketPath: string, path: string, command: string): Promise<T> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ socketPath, path }, resolve).on('error', reject)
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`no agent answers at ${socketPath} (${why}); start one with ${command}, or name its --socket`)
  })
  return JSON.parse(await text(response))
}
