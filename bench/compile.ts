import { compile } from '../control/compile/compile.ts'
import { controllerNames } from '../control/compile/features.ts'
import { encodeTable } from '../control/publish/encode.ts'
import { Snapshot } from '../control/snapshot.ts'
import { parseManifests } from '../kube/manifests.ts'
import { median, type Row } from './report.ts'

/** How long 10,000 HTTPRoutes with a Service each take from objects to tables, at first and after one change. */

const routes = 10_000
const rounds = 21

const site = {
  controllers: controllerNames,
  network: { usable: () => true, assigned: [{ type: 'IPAddress', value: '127.0.0.1' }] as const },
}

const gateway = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'landfall' },
    spec: { controllerName: 'landfall.dev/gateway-controller' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'bench' },
    spec: { gatewayClassName: 'landfall', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
  },
]

const route = (n: number, hostname: string, path: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: `route-${n}`, namespace: 'bench' },
  spec: {
    parentRefs: [{ name: 'web' }],
    hostnames: [hostname],
    rules: [
      { matches: [{ path: { type: 'PathPrefix', value: path } }], backendRefs: [{ name: `service-${n}`, port: 80 }] },
      {
        matches: [{ path: { type: 'Exact', value: `${path}/exact` }, method: 'POST' }],
        filters: [
          { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-route', value: String(n) }] } },
        ],
        backendRefs: [{ name: `service-${n}`, port: 80 }],
      },
    ],
  },
})

const service = (n: number): readonly object[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `service-${n}`, namespace: 'bench' },
    spec: { ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `service-${n}-1`, namespace: 'bench', labels: { 'kubernetes.io/service-name': `service-${n}` } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: [`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`] }],
  },
]

interface Shape {
  readonly name: string
  readonly hostname: (n: number) => string
}

const shapes: readonly Shape[] = [
  { name: 'a host each', hostname: (n) => `host-${n}.example.com` },
  { name: 'all on one host', hostname: () => 'example.com' },
]

export async function compileBench(): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const shape of shapes) rows.push(...measure(shape))
  return rows
}

function measure({ name, hostname }: Shape): readonly Row[] {
  const manifest = (n: number, path = `/p${n}`): object => route(n, hostname(n), path)
  const numbers = Array.from({ length: routes }, (_, n) => n)
  const parse = (objects: readonly object[]) =>
    parseManifests('bench.json', JSON.stringify({ kind: 'List', apiVersion: 'v1', items: objects })).objects

  const items = [...gateway, ...numbers.map((n) => manifest(n)), ...numbers.flatMap(service)]
  let objects = parse(items)
  let since = performance.now()
  let snapshot = Snapshot.of(objects)
  let compiled = compile(snapshot, site)
  const cold = performance.now() - since
  since = performance.now()
  const encoded = compiled.tables.map(encodeTable)
  const encodedCold = performance.now() - since
  if (encoded.length !== 1 || !encoded[0]?.ok) throw new Error('the bench does not compile to one table')

  const again: number[] = []
  const encodeAgain: number[] = []
  for (let round = 0; round < rounds; round++) {
    const n = (round * 331) % routes
    const [changed] = parse([manifest(n, `/changed-${round}`)])
    if (changed === undefined) throw new Error('no route')
    objects = objects.map((object) =>
      object.kind === 'HTTPRoute' && object.metadata.name === changed.metadata.name ? changed : object,
    )
    since = performance.now()
    snapshot = snapshot.next(objects)
    compiled = compile(snapshot, site, compiled)
    again.push(performance.now() - since)
    since = performance.now()
    compiled.tables.map(encodeTable)
    encodeAgain.push(performance.now() - since)
  }
  return [
    { name: `${name}: from nothing`, value: cold, unit: 'ms', bar: { atMost: 2000 } },
    { name: `${name}: after one change`, value: median(again), unit: 'ms', bar: { atMost: 20 } },
    { name: `${name}: encode from nothing`, value: encodedCold, unit: 'ms' },
    { name: `${name}: encode after one change`, value: median(encodeAgain), unit: 'ms' },
  ]
}
