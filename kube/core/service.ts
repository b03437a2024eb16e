import * as z from 'zod'
import {
  ipAddress,
  isHostname,
  isIPAddress,
  labelPattern,
  labelWords,
  list,
  port,
  qualifiedNameFault,
  text,
  texts,
} from '../fields.ts'
import { labelObjectMeta } from '../metadata.ts'
import { rule, unique } from '../rule.ts'

export const protocol = z.enum(['TCP', 'UDP', 'SCTP'])

/** RFC 6335 section 5.1, in lower case: up to 15 characters with a letter among them, no "--". */
const portName = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/

export const appProtocol = z.string().check(
  rule((value, report) => {
    const fault = qualifiedNameFault(value)
    if (fault !== undefined) report([], fault)
  }),
)

const targetPort = z.union([z.string(), z.number()], { error: 'is neither a number nor the name of a port' }).check(
  rule((value, report) => {
    if (typeof value === 'number' ? Number.isInteger(value) && value >= 1 && value <= 65535 : portName.test(value))
      return
    report(
      [],
      `${JSON.stringify(value)} is no port; write a number from 1 to 65535 without quotes, or the name of a container's port`,
    )
  }),
)

const servicePort = z
  .object({
    name: text(`a name of ${labelWords}`, 63, labelPattern, 0).exactOptional(),
    protocol: protocol.default('TCP'),
    port,
    targetPort: targetPort.exactOptional(),
    appProtocol: appProtocol.exactOptional(),
  })
  .meta({ unread: ['nodePort'] })
  // The API server fills in targetPort likewise.
  .transform(({ targetPort, ...rest }) => ({ ...rest, targetPort: targetPort ?? rest.port }))
export type ServicePort = z.output<typeof servicePort>

const clusterIP = z.string().check(
  rule((value, report) => {
    if (value !== '' && value !== 'None' && !isIPAddress(value)) {
      report([], `${JSON.stringify(value)} is no IP address; write one, or None for a headless Service`)
    }
  }),
)

/** What a controller of load balancers has given. */
const status = z
  .object({
    loadBalancer: z
      .object({
        ingress: list(
          z
            .object({ ip: ipAddress.exactOptional(), hostname: z.string().exactOptional() })
            .meta({ unread: ['ipMode', 'ports'] }),
          1000,
        ).prefault([]),
      })
      .prefault({}),
  })
  .meta({ unread: ['conditions'] })

const spec = z
  .object({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).default('ClusterIP'),
    ports: z
      .array(servicePort)
      .check(unique(({ name }) => name || undefined, ['name']))
      .check(unique(({ protocol, port }) => `${port}/${protocol}`, ['port']))
      .check(
        rule((ports, report) => {
          if (ports.length < 2) return
          ports.forEach(({ name }, index) => {
            if (!name) report([index, 'name'], 'is missing; every port needs a name where there are several')
          })
        }),
      )
      .prefault([]),
    selector: texts.exactOptional(),
    clusterIP: clusterIP.exactOptional(),
    externalName: z.string().exactOptional(),
    clusterIPs: list(clusterIP, 2).exactOptional(),
    externalIPs: list(ipAddress, 1000).exactOptional(),
    externalTrafficPolicy: z.enum(['Cluster', 'Local']).exactOptional(),
    internalTrafficPolicy: z.enum(['Cluster', 'Local']).exactOptional(),
    ipFamilies: list(z.enum(['IPv4', 'IPv6']), 2).exactOptional(),
    ipFamilyPolicy: z.enum(['SingleStack', 'PreferDualStack', 'RequireDualStack']).exactOptional(),
    loadBalancerClass: z.string().exactOptional(),
    loadBalancerIP: z.string().exactOptional(),
  })
  .meta({
    unread: [
      'allocateLoadBalancerNodePorts',
      'healthCheckNodePort',
      'loadBalancerSourceRanges',
      'publishNotReadyAddresses',
      'sessionAffinity',
      'sessionAffinityConfig',
      'trafficDistribution',
    ],
  })
  .check(
    rule(({ type, ports, clusterIP, externalName }, report) => {
      if (type === 'ExternalName') {
        if (!isHostname(externalName ?? '')) {
          report(['externalName'], 'is missing or no hostname; type ExternalName needs one such as db.example.com')
        }
      } else if (ports.length === 0 && clusterIP !== 'None') {
        report(['ports'], 'is missing; a Service needs at least one port, unless it is headless (clusterIP: None)')
      }
    }),
  )

export const service = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata: labelObjectMeta,
  spec,
  status: status.exactOptional(),
})
export type Service = z.output<typeof service>
