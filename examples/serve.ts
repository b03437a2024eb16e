import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const landfall = fileURLToPath(new URL('../cli/landfall', import.meta.url))

/** `landfall dev` on an example, as one would run it. Resolves when it answers on `port`. */
export async function serve(example: string, port: number, options: readonly string[]): Promise<ChildProcess> {
  const directory = fileURLToPath(new URL(example, import.meta.url))
  const child = spawn(landfall, ['dev', '-f', directory, ...options], { stdio: 'inherit' })
  process.once('exit', () => child.kill())
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`landfall dev ended with ${child.exitCode}`)
    await sleep(100)
  }
  return child
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A request to 127.0.0.1 for a URL's host and path. */
export async function ask(port: number, url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { host, pathname, search } = new URL(url)
  const outgoing = request({ port, path: pathname + search, headers: { host, ...headers }, agent: false }).end()
  const [response] = await once(outgoing, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, headers: response.headers, body }
}

const answers = (port: number): Promise<boolean> =>
  ask(port, 'http://127.0.0.1/').then(
    () => true,
    () => false,
  )
