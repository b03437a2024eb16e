import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import type { BenchRoute } from './routes.ts'
import { grpc, origin, ports, type Site, streamHost } from './site.ts'

/** The data plane behind a command line, in which {dir} stands for the directory of manifests. */
export const landfall = (commandLine: string): Contender => ({
  name: 'landfall',
  cannot: () => undefined,
  prepare: async (site) => {
    const items = await manifests(site)
    await writeFile(join(site.directory, 'bench.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    return ['sh', '-c', `exec ${commandLine.replaceAll('{dir}', site.directory)}`]
  },
})

const gatewayApi = 'gateway.networking.k8s.io/v1'
const metadata = (name: string): object => ({ name, namespace: 'bench' })
const parentRefs = [{ name: 'web' }]

async function manifests({ address, routes, certificate }: Site): Promise<readonly object[]> {
  const base64 = async (file: string): Promise<string> => (await readFile(file)).toString('base64')
  return [
    {
      apiVersion: gatewayApi,
      kind: 'GatewayClass',
      metadata: { name: 'landfall' },
      spec: { controllerName: 'landfall.dev/gateway-controller' },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: metadata('certificate'),
      data: { 'tls.crt': await base64(certificate.certificate), 'tls.key': await base64(certificate.key) },
    },
    {
      apiVersion: gatewayApi,
      kind: 'Gateway',
      metadata: metadata('web'),
      spec: {
        gatewayClassName: 'landfall',
        addresses: [{ type: 'IPAddress', value: address }],
        listeners: [
          { name: 'http', protocol: 'HTTP', port: ports.http },
          {
            name: 'https',
            protocol: 'HTTPS',
            port: ports.https,
            tls: { certificateRefs: [{ name: 'certificate' }] },
          },
          { name: 'tls', protocol: 'TLS', port: ports.passthrough, tls: { mode: 'Passthrough' } },
        ],
      },
    },
    ...origin.http.flatMap((endpoint, n) => service(`api-${n}`, endpoint, undefined)),
    ...service('grpc', origin.grpc, 'kubernetes.io/h2c'),
    ...service('stream', origin.stream, undefined),
    ...routes.map(httpRoute),
    {
      apiVersion: gatewayApi,
      kind: 'GRPCRoute',
      metadata: metadata('grpc'),
      spec: {
        parentRefs,
        hostnames: [grpc.hostname],
        rules: [
          {
            matches: [{ method: { service: grpc.service, method: grpc.method } }],
            backendRefs: [{ name: 'grpc', port: 80 }],
          },
        ],
      },
    },
    {
      apiVersion: gatewayApi,
      kind: 'TLSRoute',
      metadata: metadata('stream'),
      spec: { parentRefs, hostnames: [streamHost], rules: [{ backendRefs: [{ name: 'stream', port: 80 }] }] },
    },
  ]
}

const httpRoute = ({ name, hostname, path, tenant, service }: BenchRoute): object => ({
  apiVersion: gatewayApi,
  kind: 'HTTPRoute',
  metadata: metadata(name),
  spec: {
    parentRefs,
    hostnames: [hostname],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: path },
            ...(tenant === undefined ? {} : { headers: [{ name: 'x-tenant', value: tenant }] }),
          },
        ],
        backendRefs: [{ name: `api-${service}`, port: 80 }],
      },
    ],
  },
})

/** `endpoint` as "address:port". */
function service(name: string, endpoint: string, appProtocol: string | undefined): readonly object[] {
  const [address = '', port = ''] = endpoint.split(':')
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(name),
      spec: { ports: [{ port: 80, ...(appProtocol === undefined ? {} : { appProtocol }) }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata(`${name}-1`), labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: Number(port) }],
      endpoints: [{ addresses: [address] }],
    },
  ]
}
