import type { GRPCRoute } from '../../kube/gateway-api/grpc-route.ts'
import type { HTTPRoute } from '../../kube/gateway-api/http-route.ts'
import type { TCPRoute } from '../../kube/gateway-api/tcp-route.ts'
import type { TLSRoute } from '../../kube/gateway-api/tls-route.ts'
import type { UDPRoute } from '../../kube/gateway-api/udp-route.ts'

export type Route = HTTPRoute | GRPCRoute | TLSRoute | TCPRoute | UDPRoute
export type RouteKind = Route['kind']

export const routeKinds = [
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'UDPRoute',
] as const satisfies readonly RouteKind[]

/** A route of connections or datagrams: of two on a listener nothing but their hostnames tells which one is meant. */
export const isStream = ({ kind }: Route): boolean => kind !== 'HTTPRoute' && kind !== 'GRPCRoute'

/** spec.hostnames of the kinds that have them. */
export const hostnamesOf = (route: Route): readonly string[] | undefined =>
  'hostnames' in route.spec ? route.spec.hostnames : undefined
