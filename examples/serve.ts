import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const landfall = fileURLToPath(new URL('../cli/landfall', import.meta.url))

/** `landfall dev` on an example, as one would run it. Resolves when it says that it serves on `port`. */
export async function serve(example: string, port: number, options: readonly string[]): Promise<ChildProcess> {
  const directory = fileURLToPath(new URL(example, import.meta.url))
  const child = spawn(landfall, ['dev', '-f', directory, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => child.kill())
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    process.stdout.write(text)
  })
  while (!printed.includes(`http://127.0.0.1:${port}\n`)) {
    if (printed.includes('SERVED AT') || child.exitCode !== null) {
      child.kill()
      throw new Error(`landfall dev does not serve on 127.0.0.1:${port}`)
    }
    await sleep(50)
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
