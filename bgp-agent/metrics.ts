import { readFile } from 'node:fs/promises'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { PeerReport } from './speaker.ts'

const labelNames = ['name', 'local_asn', 'neighbor', 'neighbor_asn'] as const
const familyLabelNames = [...labelNames, 'afi', 'safi'] as const

/** Counters of the kernel for segments that it drops for their TCP MD5 digest. linux/snmp.h */
const md5Counters = [
  ['TCPMD5NotFound', 'missing'],
  ['TCPMD5Unexpected', 'unexpected'],
  ['TCPMD5Failure', 'wrong'],
] as const

/** What the agent tells Prometheus: Cilium's names, so that its dashboards go on, and what the kernel says of TCP MD5. */
export function agentMetrics(peers: () => Promise<readonly PeerReport[]>, netstat = '/proc/net/netstat'): Registry {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const advertised = new Gauge({
    name: 'cilium_bgp_control_plane_advertised_routes',
    help: 'Routes that the peer has been told.',
    labelNames: familyLabelNames,
    registers,
  })
  const received = new Gauge({
    name: 'cilium_bgp_control_plane_received_routes',
    help: 'Routes that the peer has told, none of which is used.',
    labelNames: familyLabelNames,
    registers,
  })
  const seen = new Gauge({
    name: 'landfall_bfd_session_state',
    help: 'Whether BFD sees the peer: 1, or 0; absent where it does not watch.',
    labelNames,
    registers,
  })
  new Gauge({
    name: 'cilium_bgp_control_plane_session_state',
    help: 'Whether the session is up: 1, or 0.',
    labelNames,
    registers,
    async collect() {
      const reports = await peers()
      for (const gauge of [this, advertised, received, seen]) gauge.reset()
      for (const peer of reports) {
        const labels = labelsOf(peer)
        this.set(labels, peer.session === undefined ? 0 : 1)
        if (peer.isSeen !== undefined) seen.set(labels, peer.isSeen ? 1 : 0)
        for (const family of peer.session?.families ?? []) {
          const ofFamily = { ...labels, afi: family, safi: 'unicast' }
          advertised.set(ofFamily, peer.advertised[family])
          received.set(ofFamily, peer.received[family])
        }
      }
    },
  })
  new Gauge({
    name: 'landfall_bgp_md5_dropped_segments',
    help: "Segments dropped for their TCP MD5 digest in this network namespace, all programs' together: no digest where one was due, one where none was, a wrong one.",
    labelNames: ['digest'],
    registers,
    async collect() {
      const counters = tcpCounters(await readFile(netstat, 'utf8').catch(() => ''))
      for (const [name, digest] of md5Counters) {
        const value = counters.get(name)
        if (value !== undefined) this.set({ digest }, value)
      }
    },
  })
  return registry
}

const labelsOf = ({ instance, localAsn, address, port, asn, session }: PeerReport) => ({
  name: instance,
  local_asn: localAsn,
  neighbor: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  neighbor_asn: session?.peerAsn ?? asn,
})

/** /proc/net/netstat: two lines "TcpExt: …", of names and of numbers. proc_net(5) */
function tcpCounters(text: string): ReadonlyMap<string, number> {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '))
  return new Map(names.map((name, index) => [name, Number(values[index])]))
}
