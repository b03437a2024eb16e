// YAML of objects for tests, of which a test says only what it is about.

export const gatewayClass = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: landfall}
spec: {controllerName: landfall.dev/gateway-controller}
`

/** All but the address is YAML. */
interface ServiceParts {
  readonly namespace?: string
  /** Of the Service, and of its endpoint where that has no others. */
  readonly ports?: string
  readonly endpointPorts?: string
  readonly address?: string
}

/** A Service and its EndpointSlice. */
export const service = (
  name: string,
  { namespace = 'default', ports = '{port: 80}', endpointPorts = ports, address = '10.0.0.1' }: ServiceParts = {},
): string => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {ports: [${ports}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [${endpointPorts}]
endpoints: [{addresses: [${address}]}]
`
