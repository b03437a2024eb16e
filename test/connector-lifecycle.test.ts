import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createConnector } from '../standalone/connector/connector.ts'
import { get, signed, startConnector, startRigUntilEnd } from './connector-rig.ts'
import * as odd from './origins.ts'
import { RawConnection } from './raw-connection.ts'

test('closing lets a response end, says so to its client, and takes no new connection', async () => {
  const go: (() => void)[] = []
  const { rig, client, endpoint } = await startConnector(
    odd.slowBody(['one'], () => new Promise<void>((resolve) => go.push(resolve))),
  )
  const idle = await rig.client()
  await idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n').message()
  client.write(get(endpoint))
  await client.until('\r\n\r\n')
  const closed = rig.connector.close(20_000)
  await idle.rest()
  await expect(rig.client()).rejects.toThrow('ECONNREFUSED')
  go.shift()?.()
  expect(await client.rest()).toBe('3\r\none\r\n0\r\n\r\n')
  await closed
})

test('a request that comes on an open connection while closing is answered as the last', async () => {
  const { rig, client, endpoint } = await startConnector(odd.silent)
  // Under way, so that the connection is not idle when closing begins.
  client.write(get(endpoint, 'landfall-timeout: 100\r\n'))
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(1))
  const closed = rig.connector.close(20_000)
  expect((await client.message()).head).toContain('504')
  expect(await client.rest()).toBe('')
  await closed
})

test('closing cuts what takes longer than the grace: responses, upgrades asked for and tunnels', async () => {
  const { rig, client, endpoint } = await startConnector(odd.hangMidBody)
  const quiet = await odd.startOrigin(odd.silent)
  const tunnel = await odd.startOrigin(odd.upgradeEcho())
  for (const each of [quiet, tunnel]) onTestFinished(() => each.close())
  for (const { endpoint } of [quiet, tunnel]) rig.endpoints.add(`${endpoint.address}:${endpoint.port}`)
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const [asking, joined] = [await rig.client(), await rig.client()]
  asking.write(`GET / HTTP/1.1\r\n${signed(quiet.endpoint)}${upgrade}`)
  await joined.write(`GET / HTTP/1.1\r\n${signed(tunnel.endpoint)}${upgrade}`).until('\r\n\r\n')
  await client.write(get(endpoint)).until('hello')
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(3))
  await rig.connector.close(50)
  for (const each of [client, asking, joined]) await each.rest()
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
})

test('connections beyond the limit are closed at once and counted', async () => {
  const { rig, client, endpoint } = await startConnector(odd.echo, { limits: { connections: 1 } })
  await client.write(get(endpoint)).message()
  const second = await rig.client()
  await second.rest()
  expect(rig.connector.counters.dropped).toBe(1)
  await client.write(get(endpoint)).message()
})

test('a head that does not end in time gets a 408', async () => {
  const { client } = await startConnector(odd.echo, { limits: { headTimeout: 100 } })
  client.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')
  expect((await client.message()).head).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nlandfall-error: bad-request\r\n/)
  expect(await client.rest()).toBe('')
})

test('a head that is too large gets a 431', async () => {
  const { origin, client, endpoint } = await startConnector(odd.echo)
  client.write(get(endpoint, `X-Fill: ${'x'.repeat(70_000)}\r\n`))
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 431 .*\r\nlandfall-error: bad-request\r\n/)
  expect(origin.connections).toEqual([])
})

test('no header is left out, however many there are', async () => {
  const { client, endpoint } = await startConnector(odd.echo)
  const many = Array.from({ length: 5000 }, (_, i) => `X${i}: 1\r\n`).join('')
  expect((await client.write(get(endpoint, many)).message()).body).toContain('\r\nX4999: 1\r\n')
})

test('no header of a response is left out either', async () => {
  const many = Array.from({ length: 5000 }, (_, i) => `X${i}: 1\r\n`).join('')
  const { client, endpoint } = await startConnector(odd.answer(`HTTP/1.1 200 OK\r\n${many}Content-Length: 0\r\n\r\n`))
  expect((await client.write(get(endpoint)).message()).head).toContain('\r\nX4999: 1\r\n')
})

test('a connection whose request does not come to its end may not be silent for ever', async () => {
  const { origin, rig, client, endpoint } = await startConnector(odd.silent, { limits: { idleTimeout: 100 } })
  client.write(`POST / HTTP/1.1\r\n${signed(endpoint)}Content-Length: 5\r\n\r\n`)
  expect((await client.message()).head).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nlandfall-error: bad-request\r\n/)
  expect(await client.rest()).toBe('')
  await vi.waitFor(() => expect(origin.connections[0]?.closed).toBeDefined())
  await vi.waitFor(() => expect(rig.connector.counters.active).toBe(0))
})

test('an origin that does not take a connection in time gets nothing, and the client a 502', async () => {
  // A process that is stopped accepts nothing: once its backlog is full, the kernel leaves a SYN without an answer.
  const script = `const server = require('node:net').createServer(() => {})
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
  const stopped = spawn(process.execPath, ['-e', script])
  onTestFinished(() => void stopped.kill('SIGKILL'))
  const [line] = await once(stopped.stdout, 'data')
  stopped.kill('SIGSTOP')
  const endpoint = { address: '127.0.0.1', port: Number(`${line}`) }
  const filling = Array.from({ length: 8 }, () => connect(endpoint.port, endpoint.address).on('error', () => {}))
  onTestFinished(() => {
    for (const socket of filling) socket.destroy()
  })
  await vi.waitFor(() => expect(filling.filter((socket) => !socket.connecting).length).toBeGreaterThan(0))

  const rig = await startRigUntilEnd([endpoint], { http1: { connectTimeout: 200 } })
  const client = await rig.client()
  expect((await client.write(get(endpoint)).message()).head).toContain('landfall-error: connect-failed')
  expect(rig.logged.join()).toContain('no connection in time')
})

test('a unix socket serves as well, and is gone afterwards', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'connector-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'socket')
  const connector = createConnector({
    keys: () => new Map(),
    table: () => ({ endpoints: new Set(), tls: new Map(), keyPairs: new Map() }),
    now: Date.now,
    log: () => {},
  })
  expect(await connector.listen({ path })).toBe(`unix:${path}`)
  const client = new RawConnection(connect(path))
  expect((await client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n').message()).head).toContain('403')
  await connector.close(0)
  await expect(once(connect(path), 'connect')).rejects.toThrow('ENOENT')
})

test('an address in use is an error', async () => {
  const { rig } = await startConnector(odd.silent)
  const connector = createConnector({
    keys: () => new Map(),
    table: () => ({ endpoints: new Set(), tls: new Map(), keyPairs: new Map() }),
    now: Date.now,
    log: () => {},
  })
  await expect(connector.listen({ host: '127.0.0.1', port: rig.port })).rejects.toThrow('EADDRINUSE')
})
