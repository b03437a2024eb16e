import type { RouteKind } from './routes.ts'

/** GatewayClassSpec.controllerName of the stand-alone data plane and of the Worker on Cloudflare. */
export const controllerNames = ['landfall.dev/gateway-controller', 'landfall.dev/edge-controller'] as const
export type ControllerName = (typeof controllerNames)[number]

const worker = 'landfall.dev/edge-controller'

const noConnections = 'Cloudflare hands a Worker requests, never raw connections or datagrams'
const foreignTls = 'TLS ends at Cloudflare, which asks for client certificates by its own settings (mTLS of the zone)'
const foreignAddresses = 'Cloudflare gives a zone its addresses'

/** Features of Gateway API v1.6.1 by the names of conformance reports (sigs.k8s.io/gateway-api/pkg/features), in alphabetical
 *  order. Stand-alone has all of them; a text says why the Worker on Cloudflare has not. */
export const features: readonly (readonly [feature: string, notOnCloudflare?: string])[] = [
  ['BackendTLSPolicy'],
  ['BackendTLSPolicySANValidation'],
  ['GRPCRoute'],
  ['GRPCRouteNamedRouteRule'],
  ['Gateway'],
  ['GatewayAddressEmpty'],
  ['GatewayBackendClientCertificate'],
  ['GatewayFrontendClientCertificateValidation', foreignTls],
  ['GatewayFrontendClientCertificateValidationInsecureFallback', foreignTls],
  ['GatewayHTTPListenerIsolation'],
  ['GatewayHTTPSListenerDetectMisdirectedRequests', 'a Worker is not told the server name of the TLS connection'],
  ['GatewayInfrastructurePropagation'],
  ['GatewayPort8080'],
  ['GatewayStaticAddresses', foreignAddresses],
  ['HTTPRoute'],
  ['HTTPRoute303RedirectStatusCode'],
  ['HTTPRoute307RedirectStatusCode'],
  ['HTTPRoute308RedirectStatusCode'],
  ['HTTPRouteBackendProtocolH2C'],
  ['HTTPRouteBackendProtocolWebSocket'],
  ['HTTPRouteBackendRequestHeaderModification'],
  ['HTTPRouteBackendTimeout'],
  ['HTTPRouteCORS'],
  ['HTTPRouteDestinationPortMatching'],
  ['HTTPRouteHostRewrite'],
  ['HTTPRouteMethodMatching'],
  ['HTTPRouteNamedRouteRule'],
  ['HTTPRouteParentRefPort'],
  ['HTTPRoutePathRedirect'],
  ['HTTPRoutePathRewrite'],
  ['HTTPRoutePortRedirect'],
  ['HTTPRouteQueryParamMatching'],
  ['HTTPRouteRequestMirror'],
  ['HTTPRouteRequestMultipleMirrors'],
  ['HTTPRouteRequestPercentageMirror'],
  ['HTTPRouteRequestTimeout'],
  ['HTTPRouteResponseHeaderModification'],
  ['HTTPRouteRetry'],
  ['HTTPRouteRetryBackendTimeout'],
  ['HTTPRouteRetryConnectionError'],
  ['HTTPRouteSchemeRedirect'],
  ['ListenerSet'],
  ['ReferenceGrant'],
  ['TCPRoute', noConnections],
  ['TLSRoute', noConnections],
  ['TLSRouteModeMixed', noConnections],
  ['TLSRouteModeTerminate', noConnections],
  ['UDPRoute', noConnections],
]

/** Whether Gateways of `controller` are served by Workers, behind Cloudflare's own listeners. */
export const isEdge = (controller: ControllerName): boolean => controller === worker

/** Why `controller` has not got a feature; undefined when it has. */
export const lacks = (controller: ControllerName, feature: string): string | undefined =>
  isEdge(controller) ? features.find(([name]) => name === feature)?.[1] : undefined

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
