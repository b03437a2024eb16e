import type { RouteKind } from './routes.ts'

/** GatewayClassSpec.controllerName of the stand-alone data plane and of the Worker on Cloudflare. */
export const controllerNames = ['landfall.dev/gateway-controller', 'landfall.dev/edge-controller'] as const
export type ControllerName = (typeof controllerNames)[number]

const worker = 'landfall.dev/edge-controller'

/** What a Gateway API implementation can claim to have. */
export interface Feature {
  /** As conformance reports name it: sigs.k8s.io/gateway-api/pkg/features. */
  readonly name: string
  /** Why the Worker on Cloudflare has not got it. */
  readonly notOnCloudflare?: string
  /** Why the Worker on a workerd of one's own has not got it, with the listeners of `landfall dev` in front. */
  readonly notOnWorkerd?: string
}

const noConnections = 'Cloudflare hands a Worker requests, never raw connections or datagrams'
const foreignTls = 'TLS ends at Cloudflare, which asks for client certificates by its own settings (mTLS of the zone)'
const foreignAddresses = 'Cloudflare gives a zone its addresses'
const noDatagrams = 'workerd takes datagrams under its experimental flag only'

/** Features of Gateway API v1.6.1, in alphabetical order. Stand-alone has all of them. */
export const features: readonly Feature[] = [
  { name: 'BackendTLSPolicy' },
  { name: 'BackendTLSPolicySANValidation' },
  { name: 'GRPCRoute' },
  { name: 'GRPCRouteNamedRouteRule' },
  { name: 'Gateway' },
  { name: 'GatewayAddressEmpty' },
  { name: 'GatewayBackendClientCertificate' },
  { name: 'GatewayFrontendClientCertificateValidation', notOnCloudflare: foreignTls },
  { name: 'GatewayFrontendClientCertificateValidationInsecureFallback', notOnCloudflare: foreignTls },
  { name: 'GatewayHTTPListenerIsolation' },
  {
    name: 'GatewayHTTPSListenerDetectMisdirectedRequests',
    notOnCloudflare: 'a Worker is not told the server name of the TLS connection',
  },
  { name: 'GatewayInfrastructurePropagation' },
  { name: 'GatewayPort8080' },
  { name: 'GatewayStaticAddresses', notOnCloudflare: foreignAddresses },
  { name: 'HTTPRoute' },
  { name: 'HTTPRoute303RedirectStatusCode' },
  { name: 'HTTPRoute307RedirectStatusCode' },
  { name: 'HTTPRoute308RedirectStatusCode' },
  { name: 'HTTPRouteBackendProtocolH2C' },
  { name: 'HTTPRouteBackendProtocolWebSocket' },
  { name: 'HTTPRouteBackendRequestHeaderModification' },
  { name: 'HTTPRouteBackendTimeout' },
  { name: 'HTTPRouteCORS' },
  { name: 'HTTPRouteDestinationPortMatching' },
  { name: 'HTTPRouteHostRewrite' },
  { name: 'HTTPRouteMethodMatching' },
  { name: 'HTTPRouteNamedRouteRule' },
  { name: 'HTTPRouteParentRefPort' },
  { name: 'HTTPRoutePathRedirect' },
  { name: 'HTTPRoutePathRewrite' },
  { name: 'HTTPRoutePortRedirect' },
  { name: 'HTTPRouteQueryParamMatching' },
  { name: 'HTTPRouteRequestMirror' },
  { name: 'HTTPRouteRequestMultipleMirrors' },
  { name: 'HTTPRouteRequestPercentageMirror' },
  { name: 'HTTPRouteRequestTimeout' },
  { name: 'HTTPRouteResponseHeaderModification' },
  { name: 'HTTPRouteRetry' },
  { name: 'HTTPRouteRetryBackendTimeout' },
  { name: 'HTTPRouteRetryConnectionError' },
  { name: 'HTTPRouteSchemeRedirect' },
  { name: 'ListenerSet' },
  { name: 'ReferenceGrant' },
  { name: 'TCPRoute', notOnCloudflare: noConnections },
  { name: 'TLSRoute', notOnCloudflare: noConnections },
  { name: 'TLSRouteModeMixed', notOnCloudflare: noConnections },
  { name: 'TLSRouteModeTerminate', notOnCloudflare: noConnections },
  { name: 'UDPRoute', notOnCloudflare: noConnections, notOnWorkerd: noDatagrams },
]

/** Whether Gateways of `controller` are served by Workers, behind Cloudflare's own listeners. */
export const isEdge = (controller: ControllerName): boolean => controller === worker

/** Why `controller` has not got a feature; undefined when it has. */
export const lacks = (controller: ControllerName, feature: string): string | undefined =>
  isEdge(controller) ? features.find(({ name }) => name === feature)?.notOnCloudflare : undefined

/** The routes that a protocol takes, and the feature that a listener of this protocol is. ListenerSpec.protocol. */
export const protocols = {
  HTTP: { kinds: ['HTTPRoute', 'GRPCRoute'], feature: 'HTTPRoute' },
  HTTPS: { kinds: ['HTTPRoute', 'GRPCRoute'], feature: 'HTTPRoute' },
  TLS: { kinds: ['TLSRoute'], feature: 'TLSRoute' },
  TCP: { kinds: ['TCPRoute'], feature: 'TCPRoute' },
  UDP: { kinds: ['UDPRoute'], feature: 'UDPRoute' },
} as const satisfies Record<string, { readonly kinds: readonly RouteKind[]; readonly feature: string }>

export type ProtocolName = keyof typeof protocols

export const isProtocol = (name: string): name is ProtocolName => Object.hasOwn(protocols, name)

/** Ports that Cloudflare listens on for a proxied zone (developers.cloudflare.com, "Network ports"). */
const cloudflarePorts: Readonly<Partial<Record<ProtocolName, readonly number[]>>> = {
  HTTP: [80, 8080, 8880, 2052, 2082, 2086, 2095],
  HTTPS: [443, 2053, 2083, 2087, 2096, 8443],
}

/** The ports that `controller` can be reached on by `protocol`; undefined for any. */
export const portsOf = (controller: ControllerName, protocol: ProtocolName): readonly number[] | undefined =>
  isEdge(controller) ? cloudflarePorts[protocol] : undefined
