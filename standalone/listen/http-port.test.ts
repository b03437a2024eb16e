import { connect as connectHttp2 } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { curl, drip, jsonOf, request, startRig } from '../../test/listen-rig.ts'
import { RawConnection } from '../../test/raw-connection.ts'

describe('a port in the clear', () => {
  test('serves HTTP/1.1, whole or a byte at a time', async () => {
    const port = await startRig().bind({ type: 'http' })
    const whole = await RawConnection.open(port)
    expect(jsonOf(await whole.write(request).rest())).toEqual({
      version: 'HTTP/1.1',
      target: '/x',
      port: 443,
      scheme: 'http',
      address: '127.0.0.1',
    })
    const slow = await RawConnection.open(port)
    await drip(slow.socket, Buffer.from(request))
    expect(jsonOf(await slow.rest())).toMatchObject({ version: 'HTTP/1.1', target: '/x' })
  })

  test('serves requests that begin like the preface of HTTP/2', async () => {
    const port = await startRig().bind({ type: 'http' })
    for (const method of ['PRI', 'P', 'PROPFIND', 'PUT']) {
      const client = await RawConnection.open(port)
      await drip(client.socket, Buffer.from(`${method} * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`))
      expect(await client.rest(), method).toMatch(/^HTTP\/1\.1 (200|400|501) /)
    }
    const almost = await RawConnection.open(port)
    await drip(almost.socket, Buffer.from('PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n'))
    expect(await almost.rest()).toMatch(/^HTTP\/1\.1 (400|505) /)
  })

  test('serves HTTP/2 with prior knowledge, whole or with the preface a byte at a time', async () => {
    const port = await startRig().bind({ type: 'http' })
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const ask = session.request({ ':path': '/y' })
    let body = ''
    for await (const chunk of ask) body += chunk
    expect(JSON.parse(body)).toMatchObject({ version: 'HTTP/2', target: '/y', scheme: 'http' })
    session.close()

    const slow = await RawConnection.open(port)
    // The preface, and empty SETTINGS.
    await drip(slow.socket, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'))
    const settings = await slow.take(9)
    expect(settings.charCodeAt(3)).toBe(4)
    slow.socket.destroy()
  })

  test('serves curl over both', async () => {
    const port = await startRig().bind({ type: 'http' })
    for (const [option, version] of [
      ['--http1.1', 'HTTP/1.1'],
      ['--http2-prior-knowledge', 'HTTP/2'],
    ] as const) {
      const told = await curl(['-s', option, `http://127.0.0.1:${port}/z`])
      expect(told).toMatchObject({ version, target: '/z' })
    }
  })

  test('costs next to nothing while a client has sent a part of the preface', async () => {
    const port = await startRig().bind({ type: 'http' })
    const client = await RawConnection.open(port)
    client.write('PRI * H')
    await sleep(50)
    const before = process.cpuUsage()
    await sleep(300)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(150)
    client.socket.destroy()
  })

  test.for(['', 'P', 'PRI * HTTP/2.0\r\n\r\nS'])('closes when no more than %j comes in time', async (bytes) => {
    const rig = startRig({ headTimeout: 150 })
    const client = await RawConnection.open(await rig.bind({ type: 'http' }))
    const since = performance.now()
    if (bytes !== '') await drip(client.socket, Buffer.from(bytes))
    expect(await client.rest()).toBe('')
    expect(performance.now() - since).toBeGreaterThan(100)
    expect(rig.why()).toEqual(['head-timeout'])
    await expect.poll(() => rig.listen.open).toBe(0)
  })

  test('forgets clients that leave before they have said anything', async () => {
    const rig = startRig()
    const port = await rig.bind({ type: 'http' })
    for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) (await RawConnection.open(port)).socket[leave]()
    await expect.poll(() => rig.why()).toEqual(['client-left', 'client-left', 'client-left'])
    await expect.poll(() => rig.listen.open).toBe(0)
  })

  test('closes at once what is above the limit, and takes others when there is room again', async () => {
    const rig = startRig({ connections: 2 })
    const port = await rig.bind({ type: 'http' })
    const kept = [await RawConnection.open(port), await RawConnection.open(port)]
    await expect.poll(() => rig.listen.open).toBe(2)
    expect(await (await RawConnection.open(port)).rest()).toBe('')
    expect(rig.why()).toEqual(['too-many-connections'])
    kept[0]?.socket.destroy()
    await expect.poll(() => rig.listen.open).toBe(1)
    expect(await (await RawConnection.open(port)).write(request).rest()).toContain('200 OK')
    kept[1]?.socket.destroy()
  })
})
