import { BlockList, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Protocol } from '../../proto/gen/route_table.ts'
import { listener } from '../../test/engine-tables.ts'
import { https, recordedHello, request, startRig, streamsOf } from '../../test/listen-rig.ts'

test('a port of any kind takes whatever comes, and is still there', async () => {
  const balancers = new BlockList()
  balancers.addAddress('127.0.0.1')
  const streams = streamsOf({
    listeners: [https('any', ''), listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })],
  })
  const hello = recordedHello()
  const beginnings = [
    hello,
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from(request),
    Buffer.from('PROXY TCP4 '),
  ]
  for (const parts of [{ type: 'http' }, { type: 'tls', streams: () => [streams] }] as const) {
    for (const trusted of [new BlockList(), balancers]) {
      const rig = startRig({ headTimeout: 100 }, trusted)
      const port = await rig.bind(parts)
      let random = 1
      const next = (below: number): number => {
        random = (random * 48_271) % 2_147_483_647
        return random % below
      }
      const clients = Array.from({ length: 60 }, async () => {
        const bytes = Buffer.from(beginnings[next(4)] ?? '')
        for (let changes = next(4); changes > 0; changes--) bytes[next(bytes.length)] = next(256)
        const client = connect(port, '127.0.0.1')
        client.on('error', () => {})
        const closed = new Promise((resolve) => client.once('close', resolve))
        client.write(bytes.subarray(0, next(bytes.length)))
        client.write(bytes.subarray(next(bytes.length)))
        await sleep(next(100))
        client[(['end', 'destroy', 'resetAndDestroy'] as const)[next(3)] ?? 'end']()
        client.resume()
        await closed
      })
      await Promise.all(clients)
      await expect.poll(() => rig.listen.open, { timeout: 5_000 }).toBe(0)
    }
  }
})
