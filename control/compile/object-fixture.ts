import type { Kind, KubeObject, ObjectOf } from '../../kube/objects.ts'
import { kinds } from '../../kube/objects.ts'
import { formatField } from '../../kube/problem.ts'
import { validate } from '../../kube/validate.ts'
import { Snapshot } from '../snapshot.ts'
import { certificate, privateKey } from './certificate-fixture.ts'
import { type Compiled, compile, type Site } from './compile.ts'

// Objects for tests: valid ones, with the API server's defaults, of which a test says only what it is about.

interface Fields {
  readonly metadata?: object
  readonly spec?: object
  readonly [field: string]: unknown
}

/** Makes objects of a kind from fields that replace those of `base`, in metadata and spec one by one. */
const maker =
  <K extends Kind>(kind: K, base: Fields = {}) =>
  ({ metadata, spec, ...rest }: Fields = {}): ObjectOf<K> => {
    const { group, served } = kinds[kind]
    const { object, faults } = validate({
      apiVersion: group === '' ? served[0] : `${group}/${served[0]}`,
      kind,
      ...base,
      ...rest,
      metadata: { name: kind.toLowerCase(), ...base.metadata, ...metadata },
      ...((spec ?? base.spec) && { spec: { ...base.spec, ...spec } }),
    })
    if (object !== undefined && isOf(object, kind)) return object
    throw new Error(faults.map(({ path, message }) => `${kind} ${formatField(path)}: ${message}`).join('\n'))
  }

const isOf = <K extends Kind>(object: KubeObject, kind: K): object is ObjectOf<K> => object.kind === kind

export const configMap = maker('ConfigMap')
export const namespace = maker('Namespace')
export const endpointSlice = maker('EndpointSlice', {
  metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ port: 3000 }],
  endpoints: [{ addresses: ['10.0.0.1'] }],
})
export const service = maker('Service', { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } })
export const secret = maker('Secret', {
  metadata: { name: 'cert' },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
})
/** A CA certificate. */
export const authority = maker('ConfigMap', { metadata: { name: 'ca' }, data: { 'ca.crt': certificate } })
export const gatewayClass = maker('GatewayClass', {
  metadata: { name: 'landfall' },
  spec: { controllerName: 'landfall.dev/gateway-controller' },
})
export const gateway = maker('Gateway', {
  metadata: { name: 'gw' },
  spec: { gatewayClassName: 'landfall', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
})
export const listenerSet = maker('ListenerSet', {
  metadata: { name: 'set' },
  spec: { parentRef: { name: 'gw' }, listeners: [{ name: 'extra', port: 8080, protocol: 'HTTP' }] },
})
export const httpRoute = maker('HTTPRoute', {
  metadata: { name: 'route' },
  spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
})
export const grpcRoute = maker('GRPCRoute', {
  metadata: { name: 'grpc' },
  spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
})
export const tlsRoute = maker('TLSRoute', {
  metadata: { name: 'tls' },
  spec: {
    parentRefs: [{ name: 'gw' }],
    hostnames: ['a.example.com'],
    rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
  },
})
export const tcpRoute = maker('TCPRoute', {
  metadata: { name: 'tcp' },
  spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
})
export const udpRoute = maker('UDPRoute', {
  metadata: { name: 'udp' },
  spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
})
export const referenceGrant = maker('ReferenceGrant', {
  metadata: { name: 'grant' },
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }],
    to: [{ group: '', kind: 'Service' }],
  },
})
export const policy = maker('BackendTLSPolicy', {
  metadata: { name: 'tls' },
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
    validation: { hostname: 'web.example.com', caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] },
  },
})

/** A place with the addresses 127.0.0.0/8, serving both controllers. */
export const site: Site = {
  controllers: ['landfall.dev/gateway-controller', 'landfall.dev/edge-controller'],
  network: {
    usable: ({ type, value }) => type === 'IPAddress' && value.startsWith('127.'),
    assigned: [{ type: 'IPAddress', value: '127.0.0.1' }],
  },
}

export const compiled = (...objects: readonly KubeObject[]): Compiled => compile(Snapshot.of(objects), site)
