import { canonicalIP, type IPFamily } from '../../kube/addresses/ip-number.ts'
import type { Service } from '../../kube/core/service.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import { keyOf } from '../../kube/objects.ts'
import { createdAt } from '../compile/age.ts'
import { compareText } from '../compile/merge.ts'
import { nameOf } from '../snapshot-index.ts'

/** What somebody wants of pools. */
export interface Claim {
  readonly kind: 'Service' | 'Gateway'
  /** "Service shop/web". */
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** For selectors of pools. */
  readonly labels: Readonly<Record<string, string>>
  /** The name of the one pool that is asked for. */
  readonly pool: string | undefined
  readonly wants: readonly Want[]
  readonly sharing: Sharing | undefined
  /** "80/TCP". */
  readonly ports: readonly string[]
  /** Who shares an address has the same: how traffic from outside goes on. */
  readonly policy: string
  /** What the object's status says it has. */
  readonly held: readonly string[]
  /** What cannot be read of its annotations, as clauses. */
  readonly faults: readonly string[]
}

/** One address. */
export interface Want {
  /** The first that can be had. */
  readonly families: readonly IPFamily[]
  /** The very one. */
  readonly address: string | undefined
  /** The claim is satisfied without it when it has another. */
  readonly isOptional: boolean
}

export interface Sharing {
  readonly key: string
  /** With whom, beside the own one; "*" is all. */
  readonly namespaces: readonly string[]
}

/** Annotations that ask for addresses, separated by commas. The last three are other names of the same. */
const requestAnnotations = [
  'landfall.dev/ips',
  'lbipam.cilium.io/ips',
  'io.cilium/lb-ipam-ips',
  'metallb.io/loadBalancerIPs',
  'metallb.universe.tf/loadBalancerIPs',
]
const poolAnnotation = 'landfall.dev/address-pool'
const sharingAnnotations = ['lbipam.cilium.io/sharing-key', 'io.cilium/lb-ipam-sharing-key']
const namespacesAnnotations = ['lbipam.cilium.io/sharing-cross-namespace', 'io.cilium/lb-ipam-sharing-cross-namespace']

/** Service.spec.loadBalancerClass of Services that get addresses here; those without a class do, too. */
const ourClasses: readonly string[] = [
  'landfall.dev/bgp',
  'landfall.dev/l2',
  'io.cilium/bgp-control-plane',
  'io.cilium/l2-announcer',
]

type Annotations = Readonly<Record<string, string>>

const first = (annotations: Annotations, names: readonly string[]): string | undefined =>
  names.map((name) => annotations[name]).find((value) => value !== undefined && value !== '')

const items = (value: string | undefined): readonly string[] =>
  (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** Addresses that are asked for by annotation, each once, and what is none. */
function requests(annotations: Annotations, more: readonly string[]) {
  const texts = [...requestAnnotations.flatMap((name) => items(annotations[name])), ...more]
  const addresses = new Set<string>()
  const faults: string[] = []
  for (const text of texts) {
    const address = canonicalIP(text)
    if (address === undefined) faults.push(`${JSON.stringify(text.slice(0, 60))} is no IP address`)
    else addresses.add(address)
  }
  return { addresses: [...addresses], faults }
}

function sharingOf(annotations: Annotations): Sharing | undefined {
  const key = first(annotations, sharingAnnotations)
  return key === undefined ? undefined : { key, namespaces: items(first(annotations, namespacesAnnotations)) }
}

const familyOf = (address: string): IPFamily => (address.includes(':') ? 'IPv6' : 'IPv4')

const both: readonly IPFamily[] = ['IPv4', 'IPv6']

const thisAddress = (address: string): Want => ({ families: [familyOf(address)], address, isOptional: false })
const anyOf = (families: readonly IPFamily[], isOptional = false): Want => ({
  families,
  address: undefined,
  isOptional,
})

/** Labels under which a pool's selector finds a namespace and a name. */
const names = ({ namespace, name }: { readonly namespace: string; readonly name: string }) => ({
  'io.kubernetes.service.namespace': namespace,
  'io.kubernetes.service.name': name,
})

/** Tells Gateways from Services, too. */
const gatewayLabel = 'gateway.networking.k8s.io/gateway-name'

const canonicals = (texts: readonly string[]): readonly string[] => texts.flatMap((text) => canonicalIP(text) ?? [])

/** undefined for a Service that wants nothing of pools. */
export function claimOfService(service: Service): Claim | undefined {
  const { metadata, spec, status } = service
  const { loadBalancerClass, loadBalancerIP } = spec
  if (spec.type !== 'LoadBalancer') return undefined
  if (loadBalancerClass !== undefined && !ourClasses.includes(loadBalancerClass)) return undefined
  const { namespace, name, labels, annotations } = metadata
  const requested = requests(annotations, loadBalancerIP ? [loadBalancerIP] : [])
  const wants = requested.addresses.length > 0 ? requested.addresses.map(thisAddress) : familyWants(service)
  return {
    kind: 'Service',
    key: keyOf(service),
    namespace,
    name,
    createdAt: createdAt(service),
    labels: { ...labels, ...names(metadata) },
    pool: annotations[poolAnnotation],
    wants,
    sharing: sharingOf(annotations),
    ports: spec.ports.map(({ port, protocol }) => `${port}/${protocol}`),
    policy: trafficPolicy(service),
    held: canonicals((status?.loadBalancer.ingress ?? []).flatMap(({ ip }) => ip ?? [])),
    faults: requested.faults,
  }
}

/** Where traffic goes only to nodes with an endpoint, those of all that share an address must be the same. */
function trafficPolicy({ spec: { externalTrafficPolicy = 'Cluster', selector = {} } }: Service): string {
  if (externalTrafficPolicy === 'Cluster') return externalTrafficPolicy
  const pods = Object.entries(selector).map(([key, value]) => `${key}=${value}`)
  return `Local ${pods.sort().join(',')}`
}

/** Service.spec.ipFamilyPolicy. What the API server would fill in is worked out of the cluster IPs, or left open. */
function familyWants({ spec }: Service): readonly Want[] {
  const { ipFamilyPolicy = 'SingleStack', ipFamilies = [], clusterIP, clusterIPs = [] } = spec
  const own = [...clusterIPs, clusterIP ?? ''].flatMap((address) => canonicalIP(address) ?? []).map(familyOf)
  const known = [...new Set(ipFamilies.length > 0 ? ipFamilies : own)]
  if (ipFamilyPolicy === 'SingleStack') return [anyOf(known.length > 0 ? known.slice(0, 1) : both)]
  return [...new Set([...known, ...both])].map((family) => anyOf([family], ipFamilyPolicy === 'PreferDualStack'))
}

/** undefined for a Gateway that wants nothing of pools. Its wants are those of GatewaySpec.addresses of type IPAddress, in
 *  order; without any, an annotation that names addresses or a pool asks for them. */
export function claimOfGateway(gateway: Gateway): Claim | undefined {
  const { metadata, spec, status } = gateway
  const { infrastructure } = spec
  const annotations = { ...metadata.annotations, ...infrastructure?.annotations }
  const requested = requests(annotations, [])
  const pool = annotations[poolAnnotation]
  const wants = gatewayWants(gateway, requested.addresses, pool !== undefined)
  if (wants.length === 0) return undefined
  return {
    kind: 'Gateway',
    key: keyOf(gateway),
    namespace: metadata.namespace,
    name: metadata.name,
    createdAt: createdAt(gateway),
    labels: { ...metadata.labels, ...infrastructure?.labels, ...names(metadata), [gatewayLabel]: metadata.name },
    pool,
    wants,
    sharing: sharingOf(annotations),
    ports: [...new Set(spec.listeners.map(({ port, protocol }) => `${port}/${protocol === 'UDP' ? 'UDP' : 'TCP'}`))],
    policy: 'Cluster',
    held: canonicals(status?.addresses ?? []),
    faults: requested.faults,
  }
}

/** Addresses that are named by annotation are for those entries that leave the value open. */
function gatewayWants({ spec }: Gateway, requested: readonly string[], hasPool: boolean): readonly Want[] {
  if (spec.addresses === undefined || spec.addresses.length === 0) {
    if (requested.length > 0) return requested.map(thisAddress)
    return hasPool ? [anyOf(both)] : []
  }
  const named = requested.values()
  let open = 0
  return spec.addresses
    .filter(({ type }) => type === 'IPAddress')
    .map(({ value }) => {
      const address = canonicalIP(value ?? '') ?? named.next().value
      if (address !== undefined) return thisAddress(address)
      // A second one is of the other family, where there is one.
      return anyOf(open++ % 2 === 0 ? both : both.toReversed())
    })
}

/** The order in which claims are heard: the oldest first, then by namespace and name. */
export const oldestClaim = (a: Claim, b: Claim): number => {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1
  return compareText(nameOf(a.namespace, a.name), nameOf(b.namespace, b.name)) || compareText(a.key, b.key)
}
