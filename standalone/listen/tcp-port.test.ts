import { describe, expect, test } from 'vitest'
import { Protocol } from '../../proto/gen/route_table.ts'
import { backend, host, listener, ref, rule } from '../../test/engine-tables.ts'
import { startRig, stream, streamsOf } from '../../test/listen-rig.ts'
import { startOriginUntilEnd } from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'

describe('a port of TCP', () => {
  const tcp = listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })

  test('passes everything on from the first byte, whoever speaks first', async () => {
    const rig = startRig()
    const origin = await startOriginUntilEnd(async (connection) => {
      connection.write('220 ')
      connection.socket.end(await connection.take(4))
    })
    const streams = streamsOf({
      listeners: [tcp],
      hosts: [stream('tcp', '', 'a/tcp:25')],
      backends: [backend({ key: 'a/tcp:25', endpoints: [origin.endpoint] })],
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const client = await RawConnection.open(port)
    expect(await client.take(4)).toBe('220 ')
    client.socket.end('HELO')
    expect(await client.rest()).toBe('HELO')
    await expect.poll(() => rig.why()).toEqual(['finished'])
  })

  test('shares connections out by weight', async () => {
    const rig = startRig()
    const origins = await Promise.all(
      ['0', '1'].map((name) => startOriginUntilEnd(({ socket }) => void socket.end(name))),
    )
    const backends = origins.map(({ endpoint }, i) => backend({ key: `a/${i}:1`, endpoints: [endpoint] }))
    const weights = [3, 1]
    const refs = backends.map(({ key }, i) => ref({ backend: key, weight: weights[i] ?? 0 }))
    const streams = streamsOf({
      listeners: [tcp],
      hosts: [host({ listener: 'tcp', rules: [rule({ backends: refs })] })],
      backends,
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const seen: string[] = []
    for (let i = 0; i < 8; i++) seen.push(await (await RawConnection.open(port)).rest())
    expect(seen.sort().join('')).toBe('00000011')
  })

  test('closes a connection that has no listener or no route', async () => {
    const rig = startRig()
    let streams = streamsOf({ listeners: [tcp] })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    await (await RawConnection.open(port)).rest()
    streams = streamsOf({})
    await (await RawConnection.open(port)).rest()
    expect(rig.why()).toEqual(['no-route', 'no-listener'])
  })
})
