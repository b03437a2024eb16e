import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import { problemAnswer } from '../control/service/answers.ts'
import { printFault } from './faults.ts'
import { UsageError } from './usage.ts'

/** Tries of a request whose answer is lost, or that comes when the service is busy: the key lets it be done once. */
const tries = 4
/** Seconds before the next. */
const backOff = [1, 3, 10]

export interface ClientFlags {
  readonly service?: string
  readonly tokenFile?: string
}

/** `--service` and `--token-file`, for every command that asks the control service. */
export const withService = (command: Command): Command =>
  command
    .addOption(
      new Option('--service <url>', 'the control service').env('LANDFALL_CONTROL_URL').default('http://127.0.0.1:9965'),
    )
    .option('--token-file <path>', 'a file with the token; otherwise LANDFALL_CONTROL_TOKEN in the environment has it')

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer> | string
}

/** What the service answers to a request of a command. */
export class ControlClient {
  readonly #url: string
  readonly #token: string

  constructor({ service = '', tokenFile }: ClientFlags) {
    if (!URL.canParse(service) || !/^https?:/.test(service)) {
      throw new UsageError(
        `${JSON.stringify(service)} is no URL of a control service; write --service http://host:port`,
      )
    }
    this.#url = service.replace(/\/$/, '')
    this.#token = tokenOf(tokenFile)
  }

  /** undefined when the service refuses: then it is said why, and the exit code is set. `watch` sees to what is to be seen until
   *  there is an answer. */
  async ask<T>(
    asked: Asked,
    form: z.ZodType<T>,
    watch: (wait: () => Promise<Response>) => Promise<Response> = (wait) => wait(),
  ): Promise<T | undefined> {
    const answer = await watch(() => this.#answer(asked))
    const body: unknown = await answer.json().catch(() => undefined)
    if (answer.ok) return form.parse(body)
    refused(answer.status, body)
    return undefined
  }

  /** Server-sent events. undefined where the token may not hear them, or none begin before `signal`. */
  async events(signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined> {
    const headers = { authorization: `Bearer ${this.#token}` }
    const answer = await fetch(`${this.#url}/v1/events`, { headers, signal }).catch(() => undefined)
    if (answer?.ok === true) return answer.body ?? undefined
    await answer?.body?.cancel()
    return undefined
  }

  async #answer(asked: Asked): Promise<Response> {
    const key = randomUUID()
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#send(asked, key).catch((error: unknown) => whyUnreachable(error))
      const wait = backOff[attempt]
      if (typeof answer === 'string' || [429, 502, 503].includes(answer.status)) {
        if (wait !== undefined && attempt < tries - 1) {
          await sleep(1000 * (typeof answer === 'string' ? wait : Number(answer.headers.get('retry-after') ?? wait)))
          continue
        }
        if (typeof answer === 'string')
          throw new UsageError(`the control service at ${this.#url} cannot be reached: ${answer}`)
      }
      return answer
    }
  }

  #send({ method, path, headers, body }: Asked, key: string): Promise<Response> {
    const all = { authorization: `Bearer ${this.#token}`, 'idempotency-key': key, ...headers }
    return fetch(`${this.#url}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) })
  }
}

function tokenOf(file: string | undefined): string {
  const token = (file === undefined ? process.env.LANDFALL_CONTROL_TOKEN : read(file))?.trim()
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token
  throw new UsageError('the token of the control service is missing: LANDFALL_CONTROL_TOKEN, or --token-file')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`cannot read the token from ${file}`)
  }
}

/** 1 for faults of the manifests, and for what others did meanwhile; 2 for all that the manifests have nothing to do with. */
function refused(status: number, body: unknown): void {
  const { data } = problemAnswer.safeParse(body)
  for (const problem of data?.problems ?? []) {
    process.stderr.write(`${printFault({ ...problem, file: localName(problem.file) })}\n`)
  }
  for (const { what, owner } of data?.owned ?? []) process.stderr.write(`${what} belongs to the set ${owner}\n`)
  process.stderr.write(
    `landfall: refused (${status}): ${data?.detail ?? 'the answer is not one of a control service'}\n`,
  )
  process.exitCode = [409, 412, 422].includes(status) ? 1 : 2
}

/** A file of a set as whoever pushed it knows it. */
export const localName = (file: string): string => file.slice(file.indexOf('/') + 1)

function whyUnreachable(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message || String(Reflect.get(cause, 'code')) : String(cause)
}
