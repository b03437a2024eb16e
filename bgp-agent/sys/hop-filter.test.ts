import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { parseAddress } from '../address.ts'
import { setSenders } from './hop-filter.ts'
import { udpSocket } from './udp-socket.ts'

const octetsOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array()

/** Sends a datagram for each TTL from an address. */
async function send(from: string, to: string, port: number, hops: number): Promise<void> {
  const socket = createSocket(from.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, from)
  await once(socket, 'listening')
  socket.setTTL(hops)
  await new Promise((resolve) => socket.send(`${from} ${hops}`, port, to, resolve))
  socket.close()
}

test.for<[string, string, string, string]>([
  ['IPv4', '127.83.1.1', '127.83.1.2', '127.83.1.3'],
  ['IPv6', '::1', '::1', '::1'],
])('a socket of %s hears those that it is to, from as near as they have to be', async ([, own, near, far]) => {
  const isIpv4 = own.includes('.')
  const place = { isIpv4, local: { octets: octetsOf(own), scope: 0 }, port: 0, device: undefined, scope: 0 }
  const senders = [
    ...(near === far ? [] : [{ octets: octetsOf(near), minHops: 255 }]),
    { octets: octetsOf('2001:db8::1'), minHops: 1 },
    { octets: octetsOf(far), minHops: 250 },
  ].filter(({ octets }) => (octets.length === 4) === isIpv4)
  const socket = createSocket(isIpv4 ? 'udp4' : 'udp6')
  const heard: string[] = []
  socket.on('message', (datagram) => heard.push(datagram.toString()))
  socket.bind({ fd: udpSocket(place, true, (fd) => setSenders(fd, senders)) })
  const { port } = socket.address()
  for (const from of new Set([near, far]))
    for (const hops of [64, 249, 250, 254, 255]) await send(from, own, port, hops)
  await send(isIpv4 ? '127.83.1.4' : far, own, port, isIpv4 ? 255 : 253)
  const end = `${far} 255`
  await expect.poll(() => heard).toContain(end)
  const all = [...(near === far ? [] : [`${near} 255`]), `${far} 250`, `${far} 254`, `${far} 255`]
  expect(heard).toEqual(isIpv4 ? all : [...all, `${far} 253`])
  socket.close()
})

test('more senders than a program has room for are refused', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ octets: Uint8Array.of(10, 0, i >> 8, i & 255), minHops: 255 }))
  const place = { isIpv4: true, local: undefined, port: 0, device: undefined, scope: 0 }
  expect(() => udpSocket(place, true, (fd) => setSenders(fd, many))).toThrow(/EINVAL/)
})
