import { expect, test } from 'vitest'
import { parseAddress } from '../address.ts'
import { ArpOperation, type ArpPacket, arpProbe, decodeArp, encodeArp } from './arp.ts'
import { broadcast, decodeEthernet, EtherType, encodeEthernet, formatMac, groupMac } from './ethernet.ts'
import { defaultTiming } from './holding.ts'
import {
  allNodes,
  decodeNeighbor,
  encodeNeighbor,
  type NeighborMessage,
  neighborAnnouncement,
  neighborProbe,
} from './ndp.ts'
import { Segment } from './segment.ts'

const octetsOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array()
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const macs = {
  ours: fromHex('020000000005'),
  other: fromHex('020000000006'),
  client: fromHex('020000000009'),
  earlier: fromHex('020000000001'),
}
const vip = octetsOf('192.0.2.1')
const vip6 = octetsOf('2001:db8::1')
const client = octetsOf('192.0.2.9')
const client6 = octetsOf('2001:db8::9')

/** A segment with its clock; what it sends is kept. */
class Bench {
  now = 0
  readonly sent: Uint8Array[] = []
  readonly told: string[] = []
  readonly groups: string[] = []
  readonly segment: Segment

  constructor(mac = macs.ours) {
    this.segment = new Segment(mac, defaultTiming, {
      now: () => this.now,
      random: () => 0.5,
      send: (frame) => this.sent.push(frame),
      join: (group) => this.groups.push(`join ${Buffer.from(group.subarray(12)).toString('hex')}`),
      leave: (group) => this.groups.push(`leave ${Buffer.from(group.subarray(12)).toString('hex')}`),
      isOwn: (other) => formatMac(other) === formatMac(mac) || formatMac(other) === formatMac(macs.other),
      changed: (octets, state, by) => this.told.push(`${octets.length} ${state} ${formatMac(by)}`),
      disputed: (octets, by) => this.told.push(`${octets.length} disputed ${formatMac(by)}`),
    })
  }

  /** Answers for both addresses, with nothing said yet but what follows. */
  static answering(): Bench {
    const bench = new Bench()
    bench.segment.take(vip, true)
    bench.segment.take(vip6, true)
    bench.segment.run()
    bench.sent.length = 0
    bench.told.length = 0
    return bench
  }

  until(time: number): void {
    while (this.segment.due <= time) {
      this.now = Math.max(this.now, this.segment.due)
      this.segment.run()
    }
    this.now = time
  }

  hearArp(packet: ArpPacket, source = packet.senderMac): void {
    const payload = encodeArp(packet)
    this.segment.receive(encodeEthernet({ destination: broadcast, source, etherType: EtherType.arp, payload }))
  }

  hearNeighbor(message: NeighborMessage, source: Uint8Array): void {
    const payload = encodeNeighbor(message)
    const destination = groupMac(message.destination)
    this.segment.receive(encodeEthernet({ destination, source, etherType: EtherType.ipv6, payload }))
  }

  get arp(): readonly (ArpPacket & { readonly to: string })[] {
    return this.#decoded(EtherType.arp, decodeArp)
  }

  get neighbor(): readonly (NeighborMessage & { readonly to: string })[] {
    return this.#decoded(EtherType.ipv6, decodeNeighbor)
  }

  #decoded<T extends object>(
    type: number,
    decode: (payload: Uint8Array) => T | string,
  ): readonly (T & { to: string })[] {
    return this.sent.flatMap((bytes) => {
      const frame = decodeEthernet(bytes)
      if (frame?.etherType !== type) return []
      const message = decode(frame.payload)
      if (typeof message === 'string') throw new Error(message)
      return [{ ...message, to: formatMac(frame.destination) }]
    })
  }
}

const request: ArpPacket = {
  operation: ArpOperation.request,
  senderMac: macs.client,
  senderAddress: client,
  targetMac: new Uint8Array(6),
  targetAddress: vip,
}
const solicitation: NeighborMessage = {
  kind: 'solicitation',
  source: client6,
  destination: octetsOf('ff02::1:ff00:1'),
  target: vip6,
  mac: macs.client,
  flags: { isRouter: false, isSolicited: false, isOverride: false },
}

test('a request is answered to who asks, and counted', () => {
  const bench = Bench.answering()
  bench.hearArp(request)
  bench.hearNeighbor(solicitation, macs.client)
  expect(bench.arp).toEqual([
    {
      operation: ArpOperation.reply,
      senderMac: macs.ours,
      senderAddress: vip,
      targetMac: macs.client,
      targetAddress: client,
      to: '02:00:00:00:00:09',
    },
  ])
  expect(bench.neighbor).toMatchObject([
    { kind: 'advertisement', target: vip6, mac: macs.ours, to: '02:00:00:00:00:09' },
  ])
  expect(bench.segment.entries()).toEqual([
    { octets: vip, state: 'answering', requests: 1, answers: 1, gratuitous: 2 },
    { octets: vip6, state: 'answering', requests: 1, answers: 1, gratuitous: 1 },
  ])
})

test('who asks without an address is answered alone by ARP, and before all by neighbor discovery', () => {
  const bench = Bench.answering()
  bench.hearArp(arpProbe(macs.client, vip))
  bench.hearNeighbor(neighborProbe(vip6), macs.client)
  expect(bench.arp.map(({ to }) => to)).toEqual(['02:00:00:00:00:09'])
  expect(bench.neighbor.map(({ to, destination }) => [to, destination])).toEqual([['33:33:00:00:00:01', allNodes]])
  expect(bench.told).toEqual([])
})

test('a solicitation without a MAC is answered to where it has come from', () => {
  const bench = Bench.answering()
  bench.hearNeighbor({ ...solicitation, mac: undefined }, macs.client)
  expect(bench.neighbor.map(({ to }) => to)).toEqual(['02:00:00:00:00:09'])
})

test.for<[string, (bench: Bench) => void]>([
  ['a request for another address', (bench) => bench.hearArp({ ...request, targetAddress: client })],
  ['a reply', (bench) => bench.hearArp({ ...request, operation: ArpOperation.reply })],
  ['a request that this host has sent', (bench) => bench.hearArp({ ...request, senderMac: macs.ours })],
  ['a request of another interface of this host', (bench) => bench.hearArp({ ...request, senderMac: macs.other })],
  [
    'a request that all are to be answered to',
    (bench) => bench.hearArp({ ...request, senderMac: broadcast }, macs.client),
  ],
  [
    'a solicitation for another address',
    (bench) => bench.hearNeighbor({ ...solicitation, target: client6 }, macs.client),
  ],
  [
    'an advertisement of another address',
    (bench) => bench.hearNeighbor(neighborAnnouncement(macs.client, client6), macs.client),
  ],
  ['a frame of another type', (bench) => bench.segment.receive(new Uint8Array(60))],
  ['a frame that is cut off', (bench) => bench.segment.receive(new Uint8Array(13))],
])('%s is not answered', ([, hear]) => {
  const bench = Bench.answering()
  hear(bench)
  expect(bench.sent).toEqual([])
  expect(bench.told).toEqual([])
})

test('a request of who says that the address is its own is a claim, and not answered', () => {
  const bench = Bench.answering()
  bench.hearArp({ ...request, senderAddress: vip })
  bench.hearNeighbor({ ...solicitation, source: vip6 }, macs.client)
  expect(bench.sent).toEqual([])
  expect(bench.told).toEqual(['4 disputed 02:00:00:00:00:09', '16 disputed 02:00:00:00:00:09'])
})

test('a claim that goes on ends in a conflict, and no answer more', () => {
  const bench = Bench.answering()
  const claim = (): void => {
    bench.hearArp({ ...request, operation: ArpOperation.reply, senderAddress: vip })
    bench.hearNeighbor(neighborAnnouncement(macs.client, vip6), macs.client)
  }
  claim()
  bench.until(2_500)
  claim()
  expect(bench.told.filter((line) => line.includes('conflict'))).toEqual([
    '4 conflict 02:00:00:00:00:09',
    '16 conflict 02:00:00:00:00:09',
  ])
  bench.sent.length = 0
  bench.hearArp(request)
  bench.hearNeighbor(solicitation, macs.client)
  bench.until(60_000)
  expect(bench.sent).toEqual([])
})

test('nothing is answered for while it is asked for, and a holder is found', () => {
  const bench = new Bench()
  bench.segment.take(vip, false)
  bench.segment.take(vip6, false)
  bench.until(100)
  bench.hearArp(request)
  bench.hearNeighbor(solicitation, macs.client)
  expect(bench.arp).toMatchObject([{ senderAddress: new Uint8Array(4), targetAddress: vip, to: 'ff:ff:ff:ff:ff:ff' }])
  expect(bench.neighbor).toMatchObject([{ source: new Uint8Array(16), target: vip6, to: '33:33:ff:00:00:01' }])
  bench.hearArp({ ...request, operation: ArpOperation.reply, senderAddress: vip, targetAddress: new Uint8Array(4) })
  bench.hearNeighbor(neighborAnnouncement(macs.client, vip6), macs.client)
  bench.until(50_000)
  expect(bench.segment.entries().map(({ state }) => state)).toEqual(['conflict', 'conflict'])
})

test.for([
  ['IPv4', vip],
  ['IPv6', vip6],
] as const)('of two that ask for the same address of %s at once, one has it', ([, octets]) => {
  const [first, second] = [new Bench(macs.earlier), new Bench(macs.ours)]
  for (const { segment } of [first, second]) segment.take(octets, false)
  for (let now = 0; now < 5_000; now += 10)
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      from.until(now)
      for (const frame of from.sent.splice(0)) to.segment.receive(frame)
    }
  expect([first, second].map(({ segment }) => segment.entries()[0]?.state)).toEqual(['answering', 'conflict'])
})

test('what is let go is not answered for, and not announced', () => {
  const bench = Bench.answering()
  bench.segment.letGo(vip)
  bench.segment.letGo(vip6)
  bench.hearArp(request)
  bench.hearNeighbor(solicitation, macs.client)
  bench.until(200_000)
  expect(bench.sent).toEqual([])
  expect(bench.segment.due).toBe(Number.POSITIVE_INFINITY)
})

test('addresses that end alike share a group', () => {
  const bench = new Bench()
  const alike = octetsOf('2001:db8:1::1')
  bench.segment.take(vip6, false)
  bench.segment.take(alike, false)
  bench.segment.letGo(vip6)
  expect(bench.groups).toEqual(['join ff000001'])
  bench.segment.letGo(alike)
  expect(bench.groups).toEqual(['join ff000001', 'leave ff000001'])
})

test('many addresses are announced in turns, so that who asks meanwhile does not wait', () => {
  const bench = new Bench()
  for (let i = 0; i < 1_000; i++) bench.segment.take(Uint8Array.of(10, 0, i >> 8, i & 255), true)
  bench.segment.run()
  expect(bench.sent.length).toBeLessThan(100)
  bench.until(0)
  expect(bench.sent.length).toBe(2_000)
})
