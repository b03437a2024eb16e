import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { RawConnection } from '../../test/raw-connection.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const node = process.execPath
const run = promisify(execFile)
const listenProcess = join(import.meta.dirname, '../../test/listen-process.ts')

/** test/listen-process.ts, started by `command`. */
async function startProcess(
  port: number,
  command: readonly string[] = [],
): Promise<{ child: ChildProcess; port: number }> {
  const [file = node, ...rest] = [...command, node, listenProcess, `${port}`]
  const child = spawn(file, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(child)
  const [message] = await once(child, 'message')
  expect(message.faults).toEqual([])
  return { child, port: message.port }
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

test('without a file descriptor left a process closes what comes, rests, and goes on when there are some again', async () => {
  const { child, port } = await startProcess(0, ['sh', '-c', 'ulimit -n 60; exec "$@"', 'sh'])
  const held: Socket[] = []
  let closed = 0
  for (let i = 0; i < 100; i++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => closed++)
    socket.write('GET / HT')
    held.push(socket)
  }
  await expect.poll(() => closed).toBeGreaterThan(20)
  await sleep(200)
  const before = await cpuOf(child)
  await sleep(500)
  expect((await cpuOf(child)) - before).toBeLessThan(200)
  expect(closed).toBeLessThan(100)
  for (const socket of held) socket.destroy()
  const answer = async (): Promise<string> => (await RawConnection.open(port)).write(request).rest()
  await expect.poll(answer).toContain('200 OK')
})

/** Milliseconds of processor time so far. */
async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [message] = await once(child, 'message')
  return message.cpu
}

const handover = [node, join(import.meta.dirname, '../../test/listen-handover.ts')]

/** In a network of its own, where Linux may be asked to give connections to the next process that wait for the last. */
const inOwnNetwork = [
  ...['unshare', '--map-root-user', '--net', 'sh', '-c'],
  ...['ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$@"', 'sh'],
]

test('processes that share a port hand over without a failed connection where Linux moves those that wait', async () => {
  const canMove = await run('unshare', [...inOwnNetwork.slice(1), 'true']).then(
    () => true,
    () => false,
  )
  const [file = node, ...rest] = [...(canMove ? inOwnNetwork : []), ...handover]
  const { stdout } = await run(file, rest)
  const { served, failures } = JSON.parse(stdout)
  expect(served).toBeGreaterThan(500)
  const failed = Object.values<number>(failures).reduce((sum, count) => sum + count, 0)
  // Without that, what comes just when a process closes its port is reset.
  expect(failed, stdout).toBeLessThanOrEqual(canMove ? 0 : served / 100)
})
