import { Command } from 'commander'
import { version } from '../engine/version.ts'

/** Each is loaded when it is asked for, so that none starts with the code of all. In the order of the help text. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  validate: async () => (await import('./validate.ts')).validateCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  compile: async () => (await import('./compile.ts')).compileCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  test: async () => (await import('./test.ts')).testCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  publish: async () => (await import('./publish.ts')).publishCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  dev: async () => (await import('./dev.ts')).devCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
  connector: async () => (await import('./connector.ts')).connectorCommand,
  bgp: async () => (await import('./bgp.ts')).bgpCommand,
  l2: async () => (await import('./l2.ts')).l2Command,
  pools: async () => (await import('./pools.ts')).poolsCommand,
  control: async () => (await import('./control.ts')).controlCommand,
  push: async () => (await import('./push.ts')).pushCommand,
  rollback: async () => (await import('./rollback.ts')).rollbackCommand,
  versions: async () => (await import('./versions.ts')).versionsCommand,
}

/** The command line: with the command of that name alone, or with all of them where there is none. */
export async function program(name = ''): Promise<Command> {
  const named = Object.hasOwn(commands, name) ? commands[name] : undefined
  const loaded = await Promise.all((named === undefined ? Object.values(commands) : [named]).map((load) => load()))
  const all = new Command('landfall')
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
  for (const command of loaded) all.addCommand(command)
  return all
}
