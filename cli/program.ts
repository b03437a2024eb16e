import { Command } from 'commander'
import { version } from '../engine/version.ts'
import { bgpCommand } from './bgp.ts'
import { compileCommand } from './compile.ts'
import { connectorCommand } from './connector.ts'
import { controlCommand } from './control.ts'
import { devCommand } from './dev.ts'
import { diffCommand } from './diff.ts'
import { explainCommand } from './explain.ts'
import { keysCommand } from './keys.ts'
import { l2Command } from './l2.ts'
import { poolsCommand } from './pools.ts'
import { publishCommand } from './publish.ts'
import { pushCommand } from './push.ts'
import { rollbackCommand } from './rollback.ts'
import { serveCommand } from './serve.ts'
import { statusCommand } from './status.ts'
import { testCommand } from './test.ts'
import { validateCommand } from './validate.ts'
import { versionsCommand } from './versions.ts'

/** The command line with all its commands. */
export const program = new Command('landfall')
  .version(version)
  .description('Kubernetes Gateway API, on Cloudflare Workers and on your own machines')
  .showHelpAfterError('(landfall --help says more)')
  .addHelpText(
    'after',
    `
Exit codes: 0 all is well, 1 the manifests or the request have a fault, 2 the command was used wrongly or could not run.

Examples:
  $ landfall dev -f examples/quickstart
  $ landfall validate -f manifests/
  $ landfall explain -f manifests/ -H 'x-env: dev' http://shop.example.com/cart
  $ kubectl get gateways,httproutes,services,endpointslices -A -o yaml | landfall status -f -`,
  )
  .addCommand(validateCommand)
  .addCommand(statusCommand)
  .addCommand(compileCommand)
  .addCommand(explainCommand)
  .addCommand(testCommand)
  .addCommand(diffCommand)
  .addCommand(publishCommand)
  .addCommand(keysCommand)
  .addCommand(devCommand)
  .addCommand(serveCommand)
  .addCommand(connectorCommand)
  .addCommand(bgpCommand)
  .addCommand(l2Command)
  .addCommand(poolsCommand)
  .addCommand(controlCommand)
  .addCommand(pushCommand)
  .addCommand(rollbackCommand)
  .addCommand(versionsCommand)
