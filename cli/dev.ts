import process from 'node:process'
import { Command } from 'commander'
import { port } from './port.ts'
import { printServing } from './serving.ts'
import { untilStopped } from './stop.ts'
import { openStore } from './stores.ts'
import { dim } from './terminal.ts'
import { filesOption } from './usage.ts'

export const devCommand = new Command('dev')
  .description('serve manifests on this machine by the Worker on workerd, and follow their changes')
  .addOption(filesOption())
  .option('--port <number>', 'serve all Gateways on this port of 127.0.0.1 instead of on their own', port)
  .addHelpText(
    'after',
    `
Listens on the addresses and ports of every Gateway, 127.0.0.1 for those without an address.
Tables are kept in .wrangler/state, where wrangler dev reads them, too.

Examples:
  $ landfall dev -f examples/quickstart
  $ landfall dev -f manifests/ --port 8080`,
  )
  .action(async (options: { readonly filename: string[]; readonly port?: number }) => {
    const stopped = untilStopped()
    // Most of the command starts sooner without what only this one needs.
    const { startDev } = await import('../dev/dev.ts')
    const dev = await startDev({
      paths: options.filename,
      port: options.port,
      store: await openStore('local'),
      onReading: printServing,
      log: (line) => process.stderr.write(`${dim(line)}\n`),
    })
    await stopped
    await dev.close()
  })
