import { readFile } from 'node:fs/promises'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { PeerReport } from './speaker.ts'

const peerLabels = ['name', 'local_asn', 'neighbor', 'neighbor_asn'] as const
const familyLabels = [...peerLabels, 'afi', 'safi'] as const

/** Counters of the kernel for segments that it drops for their TCP MD5 digest. linux/snmp.h */
const md5Counters = [
  ['TCPMD5NotFound', 'missing'],
  ['TCPMD5Unexpected', 'unexpected'],
  ['TCPMD5Failure', 'wrong'],
] as const

/** What the agent tells Prometheus: Cilium's names, so that its dashboards go on, and what the kernel says of TCP MD5. */
export class BgpMetrics {
  readonly #registry = new Registry()
  readonly #sessions = this.#gauge(
    'cilium_bgp_control_plane_session_state',
    'Whether the session is up: 1, or 0.',
    peerLabels,
  )
  readonly #advertised = this.#gauge(
    'cilium_bgp_control_plane_advertised_routes',
    'Routes that the peer has been told.',
    familyLabels,
  )
  readonly #received = this.#gauge(
    'cilium_bgp_control_plane_received_routes',
    'Routes that the peer has told, none of which is used.',
    familyLabels,
  )
  readonly #seen = this.#gauge(
    'landfall_bfd_session_state',
    'Whether BFD sees the peer: 1, or 0; absent where it does not watch.',
    peerLabels,
  )
  readonly #dropped = this.#gauge(
    'landfall_bgp_md5_dropped_segments',
    "Segments dropped for their TCP MD5 digest in this network namespace, all programs' together: no digest where one was due, one where none was, a wrong one.",
    ['digest'],
  )

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** In the Prometheus text format. */
  async text(peers: readonly PeerReport[]): Promise<string> {
    const counters = tcpCounters(await readFile('/proc/net/netstat', 'utf8').catch(() => ''))
    for (const [name, digest] of md5Counters) {
      const value = counters.get(name)
      if (value !== undefined) this.#dropped.set({ digest }, value)
    }
    for (const gauge of [this.#sessions, this.#advertised, this.#received, this.#seen]) gauge.reset()
    for (const peer of peers) this.#setPeer(peer)
    return this.#registry.metrics()
  }

  #setPeer(peer: PeerReport): void {
    const labels = labelsOf(peer)
    this.#sessions.set(labels, peer.session === undefined ? 0 : 1)
    if (peer.isSeen !== undefined) this.#seen.set(labels, peer.isSeen ? 1 : 0)
    for (const family of peer.session?.families ?? []) {
      const ofFamily = { ...labels, afi: family, safi: 'unicast' }
      this.#advertised.set(ofFamily, peer.advertised[family])
      this.#received.set(ofFamily, peer.received[family])
    }
  }

  #gauge<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
  }
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
