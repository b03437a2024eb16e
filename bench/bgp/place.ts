// Who is where in the bench: everybody on loopback addresses of their own.

export interface Speaker {
  readonly name: string
  readonly address: string
  readonly asn: number
}

export const port = 1791

export const receiver: Speaker = { name: 'receiver', address: '127.0.81.1', asn: 65000 }
export const landfall: Speaker = { name: 'landfall', address: '127.0.81.2', asn: 65001 }
export const gobgp: Speaker = { name: 'gobgp', address: '127.0.81.3', asn: 65002 }
export const bird: Speaker = { name: 'bird', address: '127.0.81.4', asn: 65003 }

/** Says nothing of its own accord, so that a bench says when a session begins. */
const idle = 'connect delay time 1; connect retry time 1; error wait time 1,2;'

/** A BIRD that is for each of `speakers` when it is told to, and takes what they say. */
export const receiverConfig = (speakers: readonly Speaker[]): string =>
  [
    'router id 198.51.100.1;',
    'protocol device {}',
    ...speakers.map(
      ({ name, address, asn }) => `protocol bgp from_${name} {
  disabled; local ${receiver.address} port ${port} as ${receiver.asn}; neighbor ${address} port ${port} as ${asn};
  multihop 2; strict bind; ${idle}
  ipv4 { import all; export none; };
}`,
    ),
  ].join('\n')

/** A BIRD that has `prefixes`, with a community: for the receiver when it dials, and for GoBGP at once, which takes no next hop of
 *  the loopback. */
export const senderConfig = (prefixes: readonly string[]): string => `router id 198.51.100.4;
protocol device {}
protocol static own {
  ipv4;
${prefixes.map((prefix) => `  route ${prefix} blackhole;`).join('\n')}
}
template bgp sender {
  local ${bird.address} port ${port} as ${bird.asn}; multihop 2; strict bind; ${idle}
  ipv4 { import none; next hop address 192.0.2.4; export filter { bgp_community.add((65000, 100)); accept; }; };
}
protocol bgp to_receiver from sender { neighbor ${receiver.address} port ${port} as ${receiver.asn}; passive; }
protocol bgp to_gobgp from sender { neighbor ${gobgp.address} port ${port} as ${gobgp.asn}; }
`

/** A GoBGP that takes the table of BIRD and waits for the receiver, in the form of its configuration file. */
export const gobgpConfig = (): object => ({
  global: {
    config: { as: gobgp.asn, 'router-id': '198.51.100.3', port, 'local-address-list': [gobgp.address] },
  },
  neighbors: [receiver, bird].map(({ address, asn }) => ({
    config: { 'neighbor-address': address, 'peer-as': asn },
    transport: { config: { 'passive-mode': true, 'local-address': gobgp.address, 'remote-port': port } },
    'ebgp-multihop': { config: { enabled: true, 'multihop-ttl': 2 } },
  })),
})
