import { expect, test } from 'vitest'
import { readDefaultRoutes } from './default-routes.ts'

// As Linux writes them on a little-endian machine.
const ipv4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth1	00000000	FE0200C0	0003	0	0	200	00000000	0	0	0
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth2	00000000	00000000	0001	0	0	0	00000000	0	0	0
`
const ipv6 = `fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80000000000000000000000000000a 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db8000000000000000000000001 00000064 00000001 00000000 00000003     eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

test('default routes through a gateway are read, best first', () => {
  expect(readDefaultRoutes(ipv4, ipv6)).toEqual([
    { family: 'ipv4', gateway: '192.0.2.1', interface: 'eth0', metric: 100 },
    { family: 'ipv6', gateway: '2001:db8::1', interface: 'eth1', metric: 100 },
    { family: 'ipv4', gateway: '192.0.2.254', interface: 'eth1', metric: 200 },
    { family: 'ipv6', gateway: 'fe80::a%eth0', interface: 'eth0', metric: 1024 },
  ])
})

test('a machine that says nothing has no default routes', () => {
  expect(readDefaultRoutes('', '')).toEqual([])
})
