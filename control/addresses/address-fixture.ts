import { parseManifests } from '../../kube/manifests.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { type Allocation, addresses, addressObjects, allocate } from './allocation.ts'

// Manifests for tests, of which a test says only what it is about.

/** `spec` in YAML's flow style, without the braces. */
export const pool = (name: string, spec: string, created = ''): string => `
apiVersion: landfall.dev/v1alpha1
kind: LoadBalancerIPPool
metadata: { name: ${name}${created === '' ? '' : `, creationTimestamp: "${created}"`} }
spec: { ${spec} }
---`

export const cidrPool = (name: string, cidr: string, more = ''): string =>
  pool(name, `blocks: [{ cidr: "${cidr}" }]${more}`)

export interface ServiceText {
  readonly namespace?: string
  readonly spec?: string
  /** In quotes where they must be. */
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: string
  readonly held?: readonly string[]
  readonly port?: string
  readonly created?: string
}

export const service = (name: string, text: ServiceText = {}): string => `
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${text.namespace ?? 'shop'}
  annotations: ${JSON.stringify(text.annotations ?? {})}
  labels: { ${text.labels ?? ''} }
  ${text.created === undefined ? '' : `creationTimestamp: "${text.created}"`}
spec: { type: LoadBalancer, ports: [{ ${text.port ?? 'port: 80'} }]${text.spec === undefined ? '' : `, ${text.spec}`} }
status: { loadBalancer: { ingress: ${JSON.stringify((text.held ?? []).map((ip) => ({ ip })))} } }
---`

export const record = (namespace: string, data: Readonly<Record<string, string>>): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: landfall-addresses, namespace: ${namespace} }
data: ${JSON.stringify(data)}
---`

export const gatewayClass = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: landfall }
spec: { controllerName: landfall.dev/gateway-controller }
---`

export const gateway = (name: string, spec: string, annotations: Readonly<Record<string, string>> = {}): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: shop, annotations: ${JSON.stringify(annotations)} }
spec: { gatewayClassName: landfall, listeners: [{ name: http, port: 80, protocol: HTTP }]${spec === '' ? '' : `, ${spec}`} }
---`

export function objectsOf(...manifests: readonly string[]): readonly KubeObject[] {
  const { objects, problems } = parseManifests('test.yaml', manifests.join('\n'))
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'))
  return objects
}

export const allocationOf = (...manifests: readonly string[]): Allocation =>
  allocate(addressObjects(objectsOf(...manifests)))

/** Who has what: "shop/web". */
export const holdings = ({ outcomes }: Allocation): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...outcomes.values()].map((outcome) => [`${outcome.claim.namespace}/${outcome.claim.name}`, addresses(outcome)]),
  )

/** Who is refused, and with which reason. */
export const refusals = ({ outcomes }: Allocation): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...outcomes.values()].flatMap(({ claim, refusal }) =>
      refusal === undefined ? [] : [[`${claim.namespace}/${claim.name}`, refusal.reason]],
    ),
  )
