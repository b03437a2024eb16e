import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Protocol } from '../../proto/gen/route_table.ts'
import { backend, listener } from '../../test/engine-tables.ts'
import { request, startRig, stream, streamsOf } from '../../test/listen-rig.ts'
import { startOriginUntilEnd } from '../../test/origins.ts'
import { RawConnection } from '../../test/raw-connection.ts'

describe('closing', () => {
  test('waits for tunnels, and cuts them in the end', async () => {
    const rig = startRig()
    const origin = await startOriginUntilEnd(({ socket }) => void socket.write('hi'))
    const streams = streamsOf({
      listeners: [listener({ id: 'tcp', port: 443, protocol: Protocol.TCP })],
      hosts: [stream('tcp', '', 'a/tcp:25')],
      backends: [backend({ key: 'a/tcp:25', endpoints: [origin.endpoint] })],
    })
    const port = await rig.bind({ type: 'tcp', streams: () => [streams] })
    const short = await RawConnection.open(port)
    const long = await RawConnection.open(port)
    await Promise.all([short.take(2), long.take(2)])
    const since = performance.now()
    const closed = rig.listen.close(300)
    short.socket.end()
    origin.connections[0]?.socket.end()
    await closed
    expect(performance.now() - since).toBeGreaterThan(250)
    expect(rig.why()).toEqual(['finished', 'cut'])
  })

  test('does not wait long for clients that say nothing, and serves those that speak up', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    const silent = await RawConnection.open(port)
    const late = await RawConnection.open(port)
    late.write('GET ')
    await expect.poll(() => rig.listen.open).toBe(2)
    const since = performance.now()
    const closed = rig.listen.close(5_000)
    await sleep(50)
    late.write(request.slice(4))
    expect(await late.rest()).toContain('200 OK')
    await closed
    expect(performance.now() - since).toBeLessThan(2_000)
    expect(silent.closed).toBeDefined()
    expect(rig.why()).toEqual(['closing'])
  })

  test('accepts what the kernel has established already', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    const clients = Array.from({ length: 50 }, () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
    // All have asked for a connection, and none is accepted before the event loop turns.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    const closed = rig.listen.close(5_000)
    const answers = clients.map((client) => new RawConnection(client).write(request).rest())
    for (const answer of await Promise.all(answers)) expect(answer).toContain('200 OK')
    await closed
    await expect(RawConnection.open(port)).rejects.toThrow('ECONNREFUSED')
  })
})
