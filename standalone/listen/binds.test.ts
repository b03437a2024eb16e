import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listenOnFreePort } from '../../test/free-port.ts'
import { curl, https, type Rig, request, startRig, streamsOf } from '../../test/listen-rig.ts'
import { RawConnection } from '../../test/raw-connection.ts'
import type { Bind } from './bind.ts'

describe('binds', () => {
  const httpBind = ({ frontEnds }: Rig, changes: Partial<Bind> = {}): Bind =>
    ({
      type: 'http',
      address: '127.0.0.1',
      port: 0,
      listenerPort: 80,
      ...frontEnds,
      ...changes,
    }) as Bind

  test('come and go, and leave connections to their front ends', async () => {
    const rig = startRig()
    const first = httpBind(rig)
    const second = httpBind(rig, { address: '127.0.0.2' })
    expect(await rig.listen.set([first, second])).toEqual([])
    const [firstPort = 0, secondPort = 0] = [rig.listen.portOf(first), rig.listen.portOf(second)]
    const kept = await RawConnection.open(firstPort)
    kept.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
    await kept.message()
    expect(await rig.listen.set([second])).toEqual([])
    await expect(RawConnection.open(firstPort)).rejects.toThrow('ECONNREFUSED')
    kept.write('GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await kept.rest()).toContain('"/2"')
    expect(rig.listen.portOf(second)).toBe(secondPort)
    // The same again, while the old one may still be closing.
    await Promise.all([rig.listen.set([]), rig.listen.set([httpBind(rig, { port: firstPort })])])
    expect(await (await RawConnection.open(firstPort)).write(request).rest()).toContain('200 OK')
  })

  test('change what they are for', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    const streams = streamsOf({ listeners: [https('any', '')] })
    expect(await rig.bind({ type: 'tls', streams: () => [streams] })).toBe(port)
    expect(await (await RawConnection.open(port)).write(request).rest()).toBe('')
    expect(rig.why()).toEqual(['not-tls'])
  })

  test('that are taken, or nobody has the address of, are told, and tried again', async () => {
    const rig = startRig({ retryDelay: 50 })
    const other = createServer()
    const port = await listenOnFreePort(other)
    const faults = await rig.listen.set([httpBind(rig, { port }), httpBind(rig, { address: '192.0.2.1', port: 80 })])
    expect(faults).toEqual([
      expect.stringMatching(`^127.0.0.1 port ${port}: listen EADDRINUSE`),
      expect.stringMatching('^192.0.2.1 port 80: listen EADDRNOTAVAIL'),
    ])
    other.close()
    const answer = (): Promise<string> =>
      RawConnection.open(port).then(
        (client) => client.write(request).rest(),
        () => '',
      )
    await expect.poll(answer).toContain('200 OK')
  })

  test('listen on IPv6, and tell IPv4 clients as such', async () => {
    const rig = startRig()
    const bind = httpBind(rig, { address: '::' })
    expect(await rig.listen.set([bind])).toEqual([])
    const port = rig.listen.portOf(bind)
    for (const [host, address] of [
      ['127.0.0.1', '127.0.0.1'],
      ['[::1]', '::1'],
    ]) {
      const told = await curl(['-s', `http://${host}:${port}/`])
      expect(told).toMatchObject({ address })
    }
  })
})
