import { expect, test } from 'vitest'
import { noSession } from './bgp/peer.ts'
import { BgpMetrics } from './metrics.ts'
import type { PeerReport } from './speaker.ts'

const down: PeerReport = {
  ...noSession,
  instance: 'rack',
  localAsn: 64512,
  name: 'tor',
  address: 'fd00::1',
  port: 179,
  asn: 64513,
  isSeen: undefined,
  fault: undefined,
}
const up: PeerReport = {
  ...down,
  session: {
    peerAsn: 64513,
    peerIdentifier: '192.0.2.1',
    isInternal: false,
    holdTime: 90,
    keepaliveTime: 30,
    families: ['ipv6'],
    fourOctetAs: true,
    extendedMessage: false,
    extendedNextHop: false,
    enhancedRouteRefresh: false,
    gracefulRestart: undefined,
  },
  isSeen: true,
  advertised: { ipv4: 0, ipv6: 7 },
  received: { ipv4: 0, ipv6: 2 },
}

const labels = 'name="rack",local_asn="64512",neighbor="[fd00::1]:179",neighbor_asn="64513"'
const ofFamily = `${labels},afi="ipv6",safi="unicast"`

test('tells of sessions, routes and BFD as they are when it is asked', async () => {
  const metrics = new BgpMetrics()
  const before = await metrics.text([down])
  expect(before).toContain(`cilium_bgp_control_plane_session_state{${labels}} 0`)
  expect(before).not.toContain(ofFamily)

  const after = await metrics.text([up])
  expect(after).toContain(`cilium_bgp_control_plane_session_state{${labels}} 1`)
  expect(after).toContain(`cilium_bgp_control_plane_advertised_routes{${ofFamily}} 7`)
  expect(after).toContain(`cilium_bgp_control_plane_received_routes{${ofFamily}} 2`)
  expect(after).toContain(`landfall_bfd_session_state{${labels}} 1`)
})

test('forgets a peer that is no more', async () => {
  const metrics = new BgpMetrics()
  await metrics.text([up])
  expect(await metrics.text([])).not.toContain('neighbor=')
})
