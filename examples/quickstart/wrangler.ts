// `npm run dev`: the quickstart under wrangler's own dev server, with its demo origins and a connector beside it.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import process from 'node:process'
import { startOrigin } from '../origin.ts'
import { origins } from './check.ts'

const directory = import.meta.dirname
const connectorPort = '18787'
const connectorKey = `dev:${randomBytes(32).toString('hex')}`

const published = spawn('cli/landfall', ['publish', '-f', directory, '--to', 'local'], { stdio: 'inherit' })
await once(published, 'exit')
if (published.exitCode !== 0) process.exit(1)

const running = await Promise.all(Object.entries(origins).map(([name, port]) => startOrigin(name, port)))
const connector = spawn('cli/landfall', ['connector', '-f', directory, '--listen', `127.0.0.1:${connectorPort}`], {
  stdio: 'inherit',
  env: { ...process.env, LANDFALL_CONNECTOR_KEY: connectorKey },
})
const variables = [`CONNECTOR_URL:http://127.0.0.1:${connectorPort}`, `CONNECTOR_KEY:${connectorKey}`]
const wrangler = spawn(
  'node_modules/.bin/wrangler',
  ['dev', '--port', '8080', ...variables.flatMap((each) => ['--var', each])],
  {
    stdio: 'inherit',
  },
)
const stop = (): void => {
  connector.kill()
  wrangler.kill()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
await once(wrangler, 'exit')
stop()
for (const origin of running) origin.close()
