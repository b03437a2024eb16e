import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { asn, BgpSite, node } from './bgp-rig.ts'
import { has } from './serve-rig.ts'

const birdTest = test.skipIf(!has('bird'))

let site: BgpSite

beforeEach(async () => {
  site = await BgpSite.create()
})
afterEach(() => site.close())

interface PeerOptions {
  /** More of BGPPeerConfig.spec. */
  readonly spec?: object
  /** More of the protocol in BIRD's words. */
  readonly bird?: string
}

/** Peers "peer0", "peer1", … of one instance, each from an address of its own. */
async function startWith(peers: readonly PeerOptions[]): Promise<void> {
  const objects = peers.flatMap(({ spec = {} }, index) => peerConfig(index, spec))
  await site.write(
    'site.json',
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...cluster(peers.length), ...objects] }),
  )
  const protocols = peers.map(
    ({ bird = '' }, index) => `protocol bgp peer${index} {
  local ${site.bird} port ${site.port} as ${asn.theirs}; neighbor ${site.own(index)} as ${asn.ours};
  strict bind on; passive on; multihop 4; error wait time 1,2; hold time 9; ${bird}
  ipv4 { import all; export none; }; ipv6 { import all; export none; };
}`,
  )
  await site.startBird(protocols.join('\n'))
  site.startAgent()
}

const object = (apiVersion: string, kind: string, name: string, rest: object, labels = {}): object => ({
  apiVersion,
  kind,
  metadata: { name, labels },
  ...rest,
})

function cluster(count: number): object[] {
  const peers = Array.from({ length: count }, (_, index) => ({
    name: `peer${index}`,
    peerAddress: site.bird,
    peerASN: asn.theirs,
    peerConfigRef: { name: `peer${index}` },
  }))
  const local = peers.map(({ name }, index) => ({ name, localAddress: site.own(index) }))
  return [
    object('v1', 'Node', node, {
      spec: { podCIDRs: ['10.1.0.0/24', '2001:db8:1::/64'] },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    }),
    object('cilium.io/v2', 'CiliumBGPClusterConfig', 'all', {
      spec: { bgpInstances: [{ name: 'main', localASN: asn.ours, peers }] },
    }),
    object('cilium.io/v2', 'CiliumBGPNodeConfigOverride', node, {
      spec: { bgpInstances: [{ name: 'main', peers: local }] },
    }),
    object('v1', 'Secret', 'bgp', {
      metadata: { name: 'bgp', namespace: 'kube-system' },
      stringData: { password: 's3cret' },
    }),
    object(
      'landfall.dev/v1alpha1',
      'BGPAdvertisement',
      'public',
      {
        spec: {
          advertisements: [
            { advertisementType: 'PodCIDR' },
            {
              advertisementType: 'Service',
              service: { addresses: ['LoadBalancerIP'] },
              selector: {},
              attributes: {
                med: 50,
                prepend: 2,
                communities: { standard: ['65001:100'], wellKnown: ['no-export'], large: ['65001:1:2'] },
              },
            },
          ],
        },
      },
      { to: 'bird' },
    ),
    object('v1', 'Service', 'web', {
      spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    }),
  ]
}

const peerConfig = (index: number, spec: object): object[] => [
  object('landfall.dev/v1alpha1', 'BGPPeerConfig', `peer${index}`, {
    spec: {
      transport: { peerPort: site.port },
      ebgpMultihop: 4,
      timers: { connectRetryTimeSeconds: 2 },
      families: [{ afi: 'ipv4', safi: 'unicast', advertisements: { matchLabels: { to: 'bird' } } }],
      ...spec,
    },
  }),
]

const writeEndpoint = (isReady: boolean): Promise<void> =>
  site.write(
    'slice.json',
    JSON.stringify({
      ...object(
        'discovery.k8s.io/v1',
        'EndpointSlice',
        'web',
        { addressType: 'IPv4' },
        { 'kubernetes.io/service-name': 'web' },
      ),
      endpoints: [{ addresses: ['10.1.0.9'], nodeName: node, conditions: { ready: isReady } }],
    }),
  )

const learns = (...prefixes: readonly string[]): Promise<void> =>
  site.until(async () => (await site.routes()).join() === prefixes.toSorted().join())

const isUp = async (peer: string): Promise<boolean> =>
  new RegExp(`^${peer} .*Established`, 'm').test(await site.birdc('show', 'protocols'))

/** Twice, which is time enough for any other to come up once. */
async function comesUpAgain(peer: string): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await site.until(() => isUp(peer))
    await site.birdc('restart', peer)
    await site.until(async () => !(await isUp(peer)))
  }
  await site.until(() => isUp(peer))
}

birdTest('BIRD learns routes with all that is said of them', async () => {
  await writeEndpoint(true)
  await startWith([{}])
  await learns('10.1.0.0/24', '203.0.113.1/32')
  const shown = await site.birdc('show', 'route', 'for', '203.0.113.1', 'all')
  for (const said of [
    'BGP.as_path: 65001 65001 65001',
    'BGP.origin: IGP',
    'BGP.med: 50',
    'BGP.community: (65001,100) (65535,65281)',
    'BGP.large_community: (65001, 1, 2)',
  ])
    expect(shown).toContain(said)
  expect(await site.landfall('peers')).toMatch(/one +65001 +65000 +127\.\S+ +established +\S+ +ipv4\/unicast +0 +2\n/)
})

birdTest('a Service whose last local endpoint goes is withdrawn, and announced when it is back', async () => {
  await writeEndpoint(true)
  await startWith([{}])
  await learns('10.1.0.0/24', '203.0.113.1/32')
  await writeEndpoint(false)
  await learns('10.1.0.0/24')
  await writeEndpoint(true)
  await learns('10.1.0.0/24', '203.0.113.1/32')
})

birdTest('the right password makes a session, and a wrong or missing one none', async () => {
  const authSecretRef = 'bgp'
  await startWith([
    { spec: { authSecretRef }, bird: 'password "s3cret";' },
    { spec: { authSecretRef }, bird: 'password "other";' },
    { bird: 'password "s3cret";' },
  ])
  await comesUpAgain('peer0')
  expect([await isUp('peer1'), await isUp('peer2')]).toEqual([false, false])
})

birdTest('TTL security on both sides makes a session, and on one none', async () => {
  const ttl = { ebgpMultihop: 1, ttlSecurity: true }
  await startWith([
    { spec: ttl, bird: 'multihop 1; ttl security on;' },
    { spec: { ebgpMultihop: 1 }, bird: 'multihop 1; ttl security on;' },
  ])
  await comesUpAgain('peer0')
  expect(await isUp('peer1')).toBe(false)
})

birdTest('with graceful restart no route is lost while the agent is killed and comes back', async () => {
  await writeEndpoint(true)
  await startWith([{ spec: { gracefulRestart: { enabled: true } }, bird: 'graceful restart aware;' }])
  await learns('10.1.0.0/24', '203.0.113.1/32')
  const seen = new Set<string>()
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      seen.add((await site.routes()).join(' '))
      await sleep(10)
    }
  })()
  await site.stopAgent('SIGKILL')
  await site.until(async () => !(await isUp('peer0')))
  site.startAgent()
  await site.until(() => isUp('peer0'))
  await site.stopAgent('SIGTERM')
  site.startAgent()
  await site.until(() => isUp('peer0'))
  isOver = true
  await watching
  expect([...seen]).toEqual(['10.1.0.0/24 203.0.113.1/32'])
})

birdTest('without graceful restart an agent that ends tells the peer why, and its routes go', async () => {
  await startWith([{}])
  await learns('10.1.0.0/24')
  await site.stopAgent('SIGTERM')
  await learns()
  expect(await site.birdc('show', 'protocols', 'all', 'peer0')).toContain('Message:        the agent is stopped')
})

birdTest('routes are sent again when the peer asks', async () => {
  await startWith([{}])
  await learns('10.1.0.0/24')
  const updates = async (): Promise<number> =>
    Number(/Import updates: +(\d+)/.exec(await site.birdc('show', 'protocols', 'all', 'peer0'))?.[1])
  const before = await updates()
  await site.birdc('reload', 'in', 'peer0')
  await site.until(async () => (await updates()) > before)
  expect(await isUp('peer0')).toBe(true)
})
