import { expect, test } from 'vitest'
import { landfall, run } from './serve-rig.ts'

const example = ['-f', 'examples/homelab-arp', '--node', 'node-3'] as const

test('l2 plan says what a node may answer for, for people and for machines', async () => {
  const { code, stdout } = await run(landfall, ['l2', 'plan', ...example])
  expect(code).toBe(0)
  expect(stdout).toMatch(/192\.168\.1\.249 .* 10 +Gateway home\/web LoadBalancerIP by L2AnnouncementPolicy home/)
  const machines = await run(landfall, ['l2', 'plan', ...example, '-o', 'json'])
  expect(JSON.parse(machines.stdout)).toMatchObject({
    node: 'node-3',
    addresses: [{ address: '192.168.1.249', preference: 10 }],
    withheld: [],
    conditions: [],
  })
})

test('l2 plan without the Secret says so, and exits with 1', async () => {
  const { code, stdout } = await run(landfall, ['l2', 'plan', ...example, '--secret-namespace', 'other'])
  expect(code).toBe(1)
  expect(stdout).toContain('MissingHeartbeatKey')
})

test('l2 explain says of one address what manifests say', async () => {
  const may = await run(landfall, ['l2', 'explain', '192.168.1.249', ...example])
  expect([may.code, may.stdout]).toEqual([0, expect.stringContaining('may be answered here on')])
  const none = await run(landfall, ['l2', 'explain', '192.168.1.1', ...example])
  expect([none.code, none.stdout]).toEqual([
    1,
    expect.stringContaining('nothing that this node knows of has the address'),
  ])
})

test('l2 status without an agent says how one is started, and what is no address is refused', async () => {
  const { code, stderr } = await run(landfall, ['l2', 'status', '--socket', '/nowhere.sock'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('start one with landfall l2 agent')])
  expect((await run(landfall, ['l2', 'explain', 'web', ...example])).code).toBe(2)
})
