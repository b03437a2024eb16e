// `npm start`: the quickstart, with its two demo origins.
import { once } from 'node:events'
import process from 'node:process'
import { startOrigin } from '../origin.ts'
import { serve } from '../serve.ts'
import { origins } from './check.ts'

async function start(): Promise<void> {
  const running = await Promise.all(Object.entries(origins).map(([name, port]) => startOrigin(name, port)))
  const landfall = await serve('quickstart', 8080, [])
  process.stdout.write(`
Try:
  curl -i http://shop.localhost:8080/
  curl -i http://shop.localhost:8080/cart/42
  curl -i http://shop.localhost:8080/basket
Change examples/quickstart/routes.yaml and ask again. Ctrl-C ends it.
`)
  // Ctrl-C reaches both processes; a signal to this one alone has to be handed on.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => landfall.kill(signal))
  await once(landfall, 'exit')
  for (const origin of running) origin.close()
}

try {
  await start()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
