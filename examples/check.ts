// Proves an example against its demo origins: node examples/check.ts NAME
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { type Origin, startOrigin } from './origin.ts'
import { type Answer, ask, serve } from './serve.ts'

/** Throws when the example does not do what its README says. */
export type Check = (
  ask: (url: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>,
  running: ReadonlyMap<string, Origin>,
) => Promise<void>

interface Example {
  readonly origins: Readonly<Record<string, number>>
  readonly check: Check
}

async function run(name: string): Promise<void> {
  const { origins, check }: Example = await import(`./${name}/check.ts`)
  const running = new Map<string, Origin>()
  for (const [origin, port] of Object.entries(origins)) running.set(origin, await startOrigin(origin, port))
  const port = await freePort()
  const landfall = await serve(name, port, ['--port', String(port)])
  try {
    await check((url, headers) => ask(port, url, headers), running)
    process.stdout.write(`${name}: as its README says\n`)
  } finally {
    landfall.kill()
    if (landfall.exitCode === null) await once(landfall, 'exit')
    for (const origin of running.values()) origin.close()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  server.close()
  await once(server, 'close')
  return bound !== null && typeof bound === 'object' ? bound.port : 0
}

const [name] = process.argv.slice(2)
if (name !== undefined) await run(name)
