// Writes docs/features.md: node docs/features.ts, as `npm run gen` does.
import { writeFileSync } from 'node:fs'
import { type Feature, features, lacks } from '../control/compile/features.ts'

/** Gateway API's conformance profiles for gateways, and which features count for each. v1.6.1,
 *  sigs.k8s.io/gateway-api/conformance/utils/suite/profiles.go. */
const profiles = [
  { name: 'HTTP', core: ['HTTPRoute'], extended: /^(Gateway.|ListenerSet|HTTPRoute.|BackendTLSPolicy)/ },
  { name: 'GRPC', core: ['GRPCRoute'], extended: /^(Gateway.|ListenerSet)/ },
  { name: 'TLS', core: ['TLSRoute'], extended: /^(Gateway.|ListenerSet|TLSRoute.)/ },
  { name: 'TCP', core: ['TCPRoute'], extended: /^(Gateway.|ListenerSet)/ },
  { name: 'UDP', core: ['UDPRoute'], extended: /^(Gateway.|ListenerSet)/ },
] as const

/** Of every profile. */
const shared: readonly string[] = ['Gateway', 'ReferenceGrant']

export interface DataPlane {
  readonly name: string
  /** Why it has not got a feature; undefined when it has. */
  readonly lacks: (feature: Feature) => string | undefined
}

export const dataPlanes: readonly DataPlane[] = [
  { name: 'stand-alone', lacks: ({ name }) => lacks('landfall.dev/gateway-controller', name) },
  { name: 'Worker on Cloudflare', lacks: ({ name }) => lacks('landfall.dev/edge-controller', name) },
  { name: 'Worker on own workerd', lacks: ({ notOnWorkerd }) => notOnWorkerd },
]

const isCore = (feature: string): boolean =>
  shared.includes(feature) || profiles.some(({ core }) => core.some((name) => name === feature))

/** The profiles that count a feature, by the last part of their names. */
function profilesOf(feature: string): string {
  const own = profiles.filter(
    ({ core, extended }) => shared.includes(feature) || core.some((name) => name === feature) || extended.test(feature),
  )
  if (own.length === profiles.length) return 'all'
  return own.map(({ name }) => name).join(', ') || 'none'
}

function row(feature: Feature): string {
  const cells = dataPlanes.map(({ lacks }) => {
    const why = lacks(feature)
    return why === undefined ? 'yes' : `no: ${why}`
  })
  return `| ${[feature.name, isCore(feature.name) ? 'core' : 'extended', profilesOf(feature.name), ...cells].join(' | ')} |`
}

/** The whole page. */
export function featuresPage(): string {
  const counts = dataPlanes.map(({ lacks }) => features.filter((each) => lacks(each) === undefined).length)
  return `# Features of Gateway API v1.6.1

By data plane, under the names of \`GatewayClass.status.supportedFeatures\`. \`npm run gen\` makes this page from the code.

- **stand-alone**: classes with \`controllerName: landfall.dev/gateway-controller\`, served by \`landfall serve\`.
- **Worker on Cloudflare**: classes with \`controllerName: landfall.dev/edge-controller\`. What it cannot serve is refused in the
  object's status, with the reason given here.
- **Worker on own workerd**: the same Worker under \`landfall dev\`, which listens in front of it as Cloudflare would.

Both Workers reach backends in clear HTTP/2, by gRPC or by TLS with a BackendTLSPolicy through a connector only.
To a Service with a BackendTLSPolicy, connections of a TCPRoute or TLSRoute are closed by the Worker, which begins no TLS of its own.
The profiles are those of conformance reports: GATEWAY-HTTP and so on. A feature of none is one of the API that no report counts.

| feature | level | profiles | ${dataPlanes.map(({ name }) => name).join(' | ')} |
| --- | --- | --- |${dataPlanes.map(() => ' --- |').join('')}
${features.map(row).join('\n')}
| **${features.length} features** | | | ${counts.join(' | ')} |
`
}

if (import.meta.main) writeFileSync(new URL('features.md', import.meta.url), featuresPage())
