import process from 'node:process'
import { Command } from 'commander'
import { LocalStore } from '../control/publish/local.ts'
import { startDev } from '../dev/dev.ts'
import { port } from './port.ts'
import { printServing } from './serving.ts'
import { untilStopped } from './stop.ts'
import { dim } from './terminal.ts'
import { filesOption } from './usage.ts'

export const devCommand = new Command('dev')
  .description('serve manifests on this machine by the Worker on workerd, and follow their changes')
  .addOption(filesOption())
  .option('--port <number>', 'serve all Gateways on this port of 127.0.0.1 instead of on their own', port)
  .addHelpText(
    'after',
    `
Listens on the addresses and HTTP ports of every Gateway, 127.0.0.1 for those without an address.
Tables are kept in .wrangler/state, where wrangler dev reads them, too.

Examples:
  $ landfall dev -f examples/quickstart
  $ landfall dev -f manifests/ --port 8080`,
  )
  .action(async (options: { readonly filename: string[]; readonly port?: number }) => {
    const stopped = untilStopped()
    const dev = await startDev({
      paths: options.filename,
      port: options.port,
      store: new LocalStore(process.cwd(), 'landfall-tables'),
      onReading: printServing,
      log: (line) => process.stderr.write(`${dim(line)}\n`),
    })
    await stopped
    await dev.close()
  })
