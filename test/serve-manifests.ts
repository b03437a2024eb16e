// Manifests in short, for tests that serve them: all in namespace "test", of GatewayClass "landfall".
import type { Endpoint } from '../proto/gen/route_table.ts'
import type { Issued } from './certificates.ts'

const gatewayApi = 'gateway.networking.k8s.io/v1'
const metadata = (name: string): object => ({ name, namespace: 'test' })

export const gatewayClass: object = {
  apiVersion: gatewayApi,
  kind: 'GatewayClass',
  metadata: { name: 'landfall' },
  spec: { controllerName: 'landfall.dev/gateway-controller' },
}

/** A Gateway called "web". `more` goes into its spec. */
export const gateway = (address: string, listeners: readonly object[], more: object = {}): object => ({
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata: metadata('web'),
  spec: { gatewayClassName: 'landfall', addresses: [{ type: 'IPAddress', value: address }], listeners, ...more },
})

export const http = (port: number, name = 'http'): object => ({ name, protocol: 'HTTP', port })

/** `secrets` by name. */
export const https = (port: number, secrets: readonly string[], more: object = {}): object => ({
  name: `https-${port}`,
  protocol: 'HTTPS',
  port,
  tls: { certificateRefs: secrets.map((name) => ({ name })) },
  ...more,
})

/** A route of the Gateway "web"; where `rules` does not say it, to `name`, port 80. */
export const route = (
  kind: 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute',
  name: string,
  { parent = {}, rules = [{ backendRefs: [backend(name)] }], ...spec }: RouteSpec = {},
): object => ({
  apiVersion: kind === 'TCPRoute' ? 'gateway.networking.k8s.io/v1alpha2' : gatewayApi,
  kind,
  metadata: metadata(name),
  spec: { parentRefs: [{ name: 'web', ...parent }], rules, ...spec },
})

export interface RouteSpec {
  /** Into the parentRef. */
  readonly parent?: object
  readonly hostnames?: readonly string[]
  readonly rules?: readonly object[]
}

export const backend = (name: string): object => ({ name, port: 80 })

export const pathPrefix = (value: string): object => ({ path: { type: 'PathPrefix', value } })

/** A Service with its EndpointSlice. All endpoints have the port of the first. */
export const service = (name: string, endpoints: readonly Endpoint[], appProtocol?: string): readonly object[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name),
    spec: { ports: [{ port: 80, ...(appProtocol && { appProtocol }) }] },
  },
  slice(name, endpoints),
]

export const slice = (service: string, endpoints: readonly Endpoint[]): object => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { ...metadata(`${service}-1`), labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  ports: [{ port: endpoints[0]?.port ?? 1 }],
  endpoints: endpoints.map(({ address }) => ({ addresses: [address] })),
})

export const secret = (name: string, { certificate, privateKey }: Pick<Issued, 'certificate' | 'privateKey'>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: metadata(name),
  data: { 'tls.crt': base64(certificate), 'tls.key': base64(privateKey) },
})

export const authority = (name: string, { certificate }: Pick<Issued, 'certificate'>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(name),
  data: { 'ca.crt': certificate },
})

/** A BackendTLSPolicy for a Service; `authority` is a ConfigMap's name. */
export const backendTls = (service: string, authority: string, hostname: string): object => ({
  apiVersion: gatewayApi,
  kind: 'BackendTLSPolicy',
  metadata: metadata(service),
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: service }],
    validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: authority }], hostname },
  },
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
