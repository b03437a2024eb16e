import { resolvingModule } from './resolving-module.ts'

/** The Workers runtime's behaviour that the Worker is written against; wrangler.toml says the same. */
export const compatibilityDate = '2026-10-01'

export interface WorkerdSocket {
  readonly name: string
  /** As workerd takes it: "127.0.0.1:8080", "[::1]:8080", "unix:/path". */
  readonly address: string
  /** What the Worker gets as ctx.props. */
  readonly props: object
  /** Connections are handed to the Worker as they are. */
  readonly raw?: true
  /** Requests come from an edge, which says by protoHeader and cfHeader what it knows of its client. */
  readonly edge?: true
}

/** "http" or "https": the scheme of the Worker's request.url, and of the URL that it fetches through the resolver. */
export const protoHeader = 'landfall-proto'
/** The Worker's request.cf, and what it says there of what it fetches, as JSON. */
export const cfHeader = 'landfall-cf'

export interface WorkerdSetup {
  readonly sockets: readonly WorkerdSocket[]
  /** Where the store answers in the protocol of Workers KV, and where the connector listens. */
  readonly storeAddress: string
  readonly connectorAddress: string
  /** Where cf.resolveOverride is honoured, which workerd itself ignores. */
  readonly resolverAddress?: string
  readonly variables: Readonly<Record<string, string>>
}

/** A configuration of `workerd serve` (workerd.capnp) beside which the Worker stands as worker.js. */
export function workerdConfig(setup: WorkerdSetup): string {
  const { sockets, storeAddress, connectorAddress, resolverAddress, variables } = setup
  const service = (props: object) => `(name = "worker", props = (json = ${text(JSON.stringify(props))}))`
  const told = `forwardedProtoHeader = ${text(protoHeader)}, cfBlobHeader = ${text(cfHeader)}`
  const style = ({ edge, raw }: WorkerdSocket) => (raw ? 'tcp = ()' : `http = (${edge ? told : ''})`)
  const socket = (each: WorkerdSocket) =>
    `    (name = ${text(each.name)}, address = ${text(each.address)}, ${style(each)}, service = ${service(each.props)}),`
  const variable = ([name, value]: [string, string]) => `    (name = ${text(name)}, text = ${text(value)}),`
  const resolving = {
    module: `(name = "resolving.js", esModule = ${text(resolvingModule)}), `,
    service: `(name = "resolver", external = (address = ${text(resolverAddress ?? '')}, http = (${told}))),`,
    binding: '(name = "RESOLVER", service = "resolver"),',
  }
  const withResolver = (part: keyof typeof resolving) => (resolverAddress === undefined ? '' : resolving[part])
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "store", external = (address = ${text(storeAddress)}, http = ())),
    (name = "connector", external = (address = ${text(connectorAddress)}, http = ())),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
    ${withResolver('service')}
  ],
  sockets = [
${sockets.map(socket).join('\n')}
  ]
);

const worker :Workerd.Worker = (
  modules = [${withResolver('module')}(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(compatibilityDate)},
  globalOutbound = "internet",
  bindings = [
    (name = "TABLES", kvNamespace = "store"),
    (name = "CONNECTOR", service = "connector"),
    ${withResolver('binding')}
${Object.entries(variables).map(variable).join('\n')}
  ]
);
`
}

/** A Cap'n Proto string. */
const text = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
