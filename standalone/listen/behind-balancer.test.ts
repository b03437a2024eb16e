import { BlockList } from 'node:net'
import { describe, expect, test } from 'vitest'
import { Protocol } from '../../proto/gen/route_table.ts'
import { backend, listener } from '../../test/engine-tables.ts'
import { curl, drip, https, jsonOf, request, startRig, stream, streamsOf } from '../../test/listen-rig.ts'
import { startOriginUntilEnd } from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'

describe('behind a balancer', () => {
  const balancers = new BlockList()
  balancers.addSubnet('127.0.0.1', 32, 'ipv4')
  const header = 'PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n'

  test('the client is who the PROXY header says, however the bytes come', async () => {
    const port = await startRig({}, balancers).bind({ type: 'http' })
    const whole = await RawConnection.open(port)
    expect(jsonOf(await whole.write(header + request).rest())).toMatchObject({ address: '198.51.100.7' })
    const slow = await RawConnection.open(port)
    await drip(slow.socket, Buffer.from(header + request))
    expect(jsonOf(await slow.rest())).toMatchObject({ address: '198.51.100.7' })
    const local = await RawConnection.open(port)
    expect(jsonOf(await local.write(`PROXY UNKNOWN\r\n${request}`).rest())).toMatchObject({ address: '127.0.0.1' })
  })

  test('curl may send it before TLS', async () => {
    const rig = startRig({}, balancers)
    const streams = streamsOf({ listeners: [https('any', '')] })
    const port = await rig.bind({ type: 'tls', streams: () => [streams] })
    const told = await curl(['-sk', '--haproxy-protocol', `https://127.0.0.1:${port}/`])
    expect(told).toMatchObject({ version: 'HTTP/2', address: '127.0.0.1', serverName: '' })
  })

  test('a tunnel gets what follows the header', async () => {
    const rig = startRig({}, balancers)
    const origin = await startOriginUntilEnd(async (connection) => void connection.socket.end(await connection.take(4)))
    const streams = streamsOf({
      listeners: [listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })],
      hosts: [stream('tcp', '', 'a/tcp:25')],
      backends: [backend({ key: 'a/tcp:25', endpoints: [origin.endpoint] })],
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const client = await RawConnection.open(port)
    expect(await client.write(`${header}ping`).rest()).toBe('ping')
    client.socket.end()
    await expect.poll(() => rig.reports[0]?.peer).toEqual({ address: '198.51.100.7', port: 4711 })
  })

  test('a balancer that sends no header is refused, and another peer that sends one, too', async () => {
    const rig = startRig({}, balancers)
    const port = await rig.bind({ type: 'http' })
    expect(await (await RawConnection.open(port)).write(request).rest()).toBe('')
    expect(rig.why()).toEqual(['no-proxy-header'])
    const open = await startRig().bind({ type: 'http' })
    expect(await (await RawConnection.open(open)).write(header + request).rest()).toContain(' 400 ')
  })

  test('a header that does not come is waited for no longer than the first bytes', async () => {
    const rig = startRig({ headTimeout: 100 }, balancers)
    const client = await RawConnection.open(await rig.bind({ type: 'http' }))
    expect(await client.write('PROXY TCP4').rest()).toBe('')
    expect(rig.why()).toEqual(['head-timeout'])
  })
})
