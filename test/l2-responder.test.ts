import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { L2Network, type L2NetworkOptions } from './l2-network.ts'
import { L2NodeProcess } from './l2-node-process.ts'
import { has } from './serve-rig.ts'

// In CI nothing is passed over: there it fails for who may not make namespaces.
const isRoot = process.env.CI !== undefined || process.getuid?.() === 0
if (!isRoot) console.warn('ARP and NDP are not tried: only root can lay a network')
const l2Test = test.skipIf(!has('arping') || !has('ndisc6') || !has('ip') || !isRoot)

const vip = '192.0.2.200'
const vip6 = '2001:db8::200'
const both = [{ address: vip }, { address: vip6 }]
const bothTakenOver = both.map((each) => ({ ...each, isTakenOver: true }))

const cleanUp: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

async function networkOf(ends: readonly string[], options?: L2NetworkOptions): Promise<L2Network> {
  const network = await L2Network.create(ends, options)
  cleanUp.push(() => network.close())
  return network
}

function nodeAt(network: L2Network, end: string, ownedOn?: string): L2NodeProcess {
  const node = new L2NodeProcess(network.at(end), ownedOn)
  cleanUp.push(() => node.end('SIGKILL'))
  return node
}

const isAnswering = async (node: L2NodeProcess): Promise<boolean> => {
  const states = await node.states()
  return states.length > 0 && states.every((state) => state === 'answering')
}

/** MACs that answer so many requests of the client for an address, one a request. */
async function arping(network: L2Network, address = vip, count = 1): Promise<readonly string[]> {
  const text = await network.run('client', 'arping', '-r', '-c', String(count), '-W', '0.3', '-i', 'eth0', address)
  return text.split('\n').filter((line) => /^[0-9a-f:]{17}$/.test(line))
}

/** The MAC that a solicitation of the client is answered with; "" where none is. */
async function ndisc6(network: L2Network, address = vip6): Promise<string> {
  const text = await network.run('client', 'ndisc6', '-q', '-r', '1', '-w', '500', address, 'eth0')
  return text.trim().toLowerCase()
}

l2Test('arping, ndisc6 and the kernel of a client find the node that answers', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node')
  const mac = await network.mac('node')
  expect([await arping(network), await ndisc6(network)]).not.toContainEqual(mac)
  node.set(...both)
  await network.until(() => isAnswering(node))
  expect(await arping(network, vip, 3)).toEqual([mac, mac, mac])
  expect(await ndisc6(network)).toBe(mac)
  expect(await network.resolve('client', vip)).toBe(mac)
  expect(await network.resolve('client', vip6)).toBe(mac)
  expect((await node.entries()).map(({ answers }) => answers > 0)).toEqual([true, true])
  node.set()
  await network.until(async () => (await node.states()).length === 0)
  expect(await arping(network)).toEqual([])
  expect(await network.resolve('client', vip6)).toBeUndefined()
})

l2Test('a node that takes over tells the client at once', async () => {
  const network = await networkOf(['one', 'two', 'client'])
  const [one, two] = [nodeAt(network, 'one'), nodeAt(network, 'two')]
  const mac = await network.mac('two')
  await two.states()
  one.set(...bothTakenOver)
  await network.until(() => isAnswering(one))
  for (const address of [vip, vip6]) expect(await network.resolve('client', address)).toBe(await network.mac('one'))
  await one.end('SIGKILL')
  two.set(...bothTakenOver)
  const times = await Promise.all(
    [vip, vip6].map((address) => network.until(async () => (await network.neighbour('client', address)) === mac)),
  )
  console.log(`the client knows of the other node after ${times.map((time) => time.toFixed(0)).join(' and ')} ms`)
  expect(Math.max(...times)).toBeLessThan(500)
})

l2Test('an address that another host has is not taken, and taken when it is free', async () => {
  const network = await networkOf(['node', 'other', 'client'])
  await network.ip('other', 'address', 'add', `${vip}/24`, 'dev', 'eth0')
  await network.ip('other', 'address', 'add', `${vip6}/64`, 'dev', 'eth0', 'nodad')
  const node = nodeAt(network, 'node')
  node.set(...both)
  await network.until(async () => (await node.states()).join() === 'conflict,conflict')
  const mac = await network.mac('other')
  expect([...node.conflicts].sort()).toEqual([`${vip} eth0 ${mac}`, `IPv6 eth0 ${mac}`])
  expect(await arping(network, vip, 2)).toEqual([mac, mac])
  expect(await network.resolve('client', vip6)).toBe(mac)
  await network.ip('other', 'address', 'flush', 'dev', 'eth0')
  node.set()
  node.set(...both)
  await network.until(() => isAnswering(node))
})

l2Test('two nodes that ask for the same addresses at once do not both take them', async () => {
  const network = await networkOf(['one', 'two', 'client'])
  const nodes = [nodeAt(network, 'one'), nodeAt(network, 'two')]
  for (const node of nodes) await node.states()
  for (const node of nodes) node.set(...both)
  const states = async (): Promise<string> =>
    (await Promise.all(nodes.map((node) => node.states()))).flat().sort().join()
  await network.until(async () => (await states()) === 'answering,answering,conflict,conflict')
  expect(await arping(network, vip, 2)).toHaveLength(2)
  expect(nodes.flatMap(({ log }) => log)).toEqual([])
})

l2Test('a host that wants the address of IPv6 hears that it is taken', async () => {
  const network = await networkOf(['node', 'other', 'client'])
  const node = nodeAt(network, 'node')
  node.set({ address: vip6 })
  await network.until(() => isAnswering(node))
  // Until announcements do not come by themselves any more.
  await sleep(4_200)
  await network.ip('other', 'address', 'add', `${vip6}/64`, 'dev', 'eth0')
  await network.until(async () => (await network.ip('other', 'address', 'show', 'dev', 'eth0')).includes('dadfailed'))
  expect(await node.states()).toEqual(['answering'])
})

l2Test('a host that takes the address of IPv4 all the same is told of, and given in to', async () => {
  const network = await networkOf(['node', 'other', 'client'])
  const node = nodeAt(network, 'node')
  const [mac, others] = [await network.mac('node'), await network.mac('other')]
  node.set({ address: vip })
  await network.until(() => isAnswering(node))
  await network.ip('other', 'address', 'add', `${vip}/24`, 'dev', 'eth0')
  const claim = (): Promise<string> =>
    network.run('other', 'arping', '-U', '-c', '1', '-W', '0.1', '-S', vip, '-i', 'eth0', vip)
  await claim()
  await network.until(() => node.log.length > 0)
  expect(node.log).toEqual([`${others} claims ${vip}, which is answered for on eth0`])
  expect(await arping(network)).toContain(mac)
  await sleep(2_100)
  await claim()
  await network.until(async () => (await node.states()).join() === 'conflict')
  expect(node.conflicts).toEqual([`${vip} eth0 ${others}`])
  expect(await arping(network)).toEqual([others])
})

l2Test(
  'the group of an address of IPv6 is joined, so that a switch that looks into groups sends it requests',
  async () => {
    const network = await networkOf(['node', 'client'], { isSnooping: true })
    const node = nodeAt(network, 'node')
    const groups = (): Promise<string> => network.ip('node', 'maddress', 'show', 'dev', 'eth0')
    expect(await groups()).not.toContain('ff02::1:ff00:200')
    node.set({ address: vip6 })
    await network.until(() => isAnswering(node))
    expect(await groups()).toContain('ff02::1:ff00:200')
    const ports = async (): Promise<string> => network.run('switch', 'bridge', 'mdb', 'show', 'dev', 'bridge')
    await network.until(async () => /port0 grp ff02::1:ff00:200/.test(await ports()))
    expect(await ndisc6(network)).toBe(await network.mac('node'))
    node.set()
    await network.until(async () => !(await groups()).includes('ff02::1:ff00:200'))
  },
)

l2Test('nothing is answered on an interface that is not named', async () => {
  const network = await networkOf(['node', 'client'])
  await network.ip('node', 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'otherend')
  for (const link of ['other', 'otherend']) await network.ip('node', 'link', 'set', link, 'up')
  const node = nodeAt(network, 'node')
  node.set(...both.map((each) => ({ ...each, interfaces: ['other'] })))
  await network.until(() => isAnswering(node))
  expect(await arping(network)).toEqual([])
  expect(await network.resolve('client', vip6)).toBeUndefined()
  expect((await node.entries()).map(({ requests }) => requests)).toEqual([0, 0])
})

l2Test('an interface above another has addresses of its own', async () => {
  const network = await networkOf(['node', 'client'])
  await network.ip('node', 'link', 'add', 'link', 'eth0', 'name', 'above', 'type', 'macvlan', 'mode', 'bridge')
  await network.ip('node', 'link', 'set', 'above', 'up')
  const node = nodeAt(network, 'node')
  node.set(...both.map((each) => ({ ...each, interfaces: ['above'] })))
  await network.until(() => isAnswering(node))
  const mac = await network.mac('node', 'above')
  expect(mac).not.toBe(await network.mac('node'))
  expect(await arping(network)).toEqual([mac])
  expect(await network.resolve('client', vip6)).toBe(mac)
})

l2Test('a request within a VLAN is not for the interface without one', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node')
  const client = nodeAt(network, 'client')
  node.set({ address: vip })
  await network.until(() => isAnswering(node))
  const index = Number(/^(\d+):/.exec(await network.ip('client', 'link', 'show', 'eth0'))?.[1])
  const mac = (await network.mac('client')).replaceAll(':', '')
  const request = `0001080006040001${mac}c0000202000000000000c00002c8`
  const send = (header: string): void =>
    client.tell({ type: 'frame', interfaceIndex: index, hex: `ffffffffffff${mac}${header}0806${request}` })
  for (let i = 0; i < 5; i++) send('8100000a')
  await client.states()
  send('')
  await network.until(async () => ((await node.entries())[0]?.answers ?? 0) > 0)
  expect((await node.entries())[0]).toMatchObject({ requests: 1, answers: 1 })
})

/** Not every kernel has VLANs, and CI's is the machine's. */
async function hasVlans(): Promise<boolean> {
  if (!isRoot) return false
  const network = await L2Network.create(['node'])
  try {
    return !/Unknown|rror/.test(
      await network.run('node', 'ip', 'link', 'add', 'link', 'eth0', 'name', 'v', 'type', 'vlan', 'id', '9'),
    )
  } finally {
    await network.close()
  }
}

async function proveVlan(): Promise<void> {
  const network = await networkOf(['node', 'client'])
  for (const end of ['node', 'client']) {
    await network.ip(end, 'link', 'add', 'link', 'eth0', 'name', 'eth0.10', 'type', 'vlan', 'id', '10')
    await network.ip(end, 'link', 'set', 'eth0.10', 'up')
  }
  await network.ip('client', 'address', 'add', '198.51.100.2/24', 'dev', 'eth0.10')
  const node = nodeAt(network, 'node')
  node.set({ address: '198.51.100.1', interfaces: ['eth0.10'] })
  await network.until(() => isAnswering(node))
  expect(await network.resolve('client', '198.51.100.1')).toBe(await network.mac('node', 'eth0.10'))
}

if (await hasVlans()) l2Test('a VLAN has addresses of its own', proveVlan)
else console.warn('VLANs are not tried: this kernel has none')

l2Test('an interface that goes and comes is answered on again, after others were asked', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node')
  node.set(...bothTakenOver, { address: '192.0.2.201', interfaces: ['later'] })
  await network.until(async () => (await node.states()).join() === 'answering,answering,waiting')
  await network.ip('node', 'link', 'set', 'eth0', 'down')
  await network.until(async () => (await node.states()).join() === 'waiting,waiting,waiting')
  await network.ip('node', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:77')
  await network.ip('node', 'link', 'set', 'eth0', 'up')
  await network.until(async () => (await node.states()).includes('probing'))
  await network.until(async () => (await node.states()).join() === 'answering,answering,waiting')
  expect(await arping(network)).toEqual(['02:00:00:00:00:77'])
  await network.ip('node', 'link', 'add', 'later', 'type', 'veth', 'peer', 'name', 'end')
  for (const link of ['end', 'later']) await network.ip('node', 'link', 'set', link, 'up')
  await network.until(() => isAnswering(node))
  await network.ip('node', 'link', 'delete', 'later')
  await network.until(async () => (await node.states()).join() === 'answering,answering,waiting')
})

l2Test('a busy main thread holds up no answer', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node')
  node.set({ address: vip })
  await network.until(() => isAnswering(node))
  node.tell({ type: 'block', milliseconds: 2_000 })
  await network.until(() => node.log.includes('stands still'))
  const start = performance.now()
  expect(await arping(network)).toEqual([await network.mac('node')])
  expect(performance.now() - start).toBeLessThan(1_500)
})

l2Test('many addresses that come and go hold up no answer', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node', 'lo')
  node.set({ address: vip, isTakenOver: true })
  await network.until(() => isAnswering(node))
  const many = Array.from({ length: 2_000 }, (_, i) => [
    `10.0.${i >> 8}.${i & 255}`,
    `2001:db8:1::${i.toString(16)}`,
  ]).flat()
  const index = /^(\d+):/.exec(await network.ip('client', 'link', 'show', 'eth0'))?.[1] ?? ''
  const script = join(import.meta.dirname, '../bench/l2/asking.ts')
  const words = [script, index, await network.mac('client'), '192.0.2.2', vip, '300', '5']
  const asking = network.run('client', process.execPath, ...words)
  await network.until(async () => ((await node.entries())[0]?.answers ?? 0) > 0)
  node.set({ address: vip, isTakenOver: true }, ...many.map((address) => ({ address, isTakenOver: true })))
  await network.until(() => isAnswering(node))
  node.set({ address: vip, isTakenOver: true })
  const times: readonly number[] = JSON.parse(await asking)
  console.log(`the slowest answer took ${Math.max(...times).toFixed(1)} ms`)
  // Those that took longer than 100 ms are not among them.
  expect(times).toHaveLength(300)
})

const owned = async (network: L2Network): Promise<readonly string[]> => {
  const text = await network.ip('node', 'address', 'show', 'dev', 'lo')
  return [vip, vip6].filter((address) => text.includes(address))
}
const arpIgnore = async (network: L2Network): Promise<string> =>
  (await network.run('node', 'cat', '/proc/sys/net/ipv4/conf/eth0/arp_ignore')).trim()

l2Test('a node owns what it answers for, and takes connections of a client', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node', 'lo')
  const script = `require('net').createServer(s => s.end('from ' + s.localAddress + '\\n')).listen(80, '::')`
  const listener = new L2NodeProcess([...network.at('node'), process.execPath, '-e', script])
  cleanUp.push(() => listener.end('SIGKILL'))
  node.set(...both)
  await network.until(() => isAnswering(node))
  expect(await owned(network)).toEqual([vip, vip6])
  const ask = (address: string): Promise<string> =>
    network.run('client', 'bash', '-c', `exec 3<>/dev/tcp/${address}/80 && cat <&3`)
  await network.until(async () => (await ask('192.0.2.1')) === 'from ::ffff:192.0.2.1\n')
  expect(await ask(vip)).toBe(`from ::ffff:${vip}\n`)
  expect(await ask(vip6)).toBe(`from ${vip6}\n`)
  // Nothing is sent from them but answers.
  const placed = await network.ip('node', 'address', 'show', 'dev', 'lo')
  expect(placed).toMatch(/192\.0\.2\.200\/32 scope host/)
  expect(placed).toMatch(/2001:db8::200\/128 scope global .*deprecated/)
  node.set({ address: vip6 })
  await network.until(async () => (await owned(network)).join() === vip6)
})

l2Test.for(['close', 'exit'] as const)('an owned address goes with the agent: %s', async (type) => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node', 'lo')
  node.set(...both)
  await network.until(() => isAnswering(node))
  expect(await arpIgnore(network)).toBe('3')
  node.tell({ type })
  if (type === 'exit') expect(await node.ended()).toBe(0)
  else await network.until(() => node.log.includes('closed'))
  expect(await owned(network)).toEqual([])
  expect(await arpIgnore(network)).toBe('0')
  expect(await arping(network)).toEqual([])
})

l2Test('after an agent was killed nobody answers, and the next one removes what it has left', async () => {
  const network = await networkOf(['node', 'client'])
  const node = nodeAt(network, 'node', 'lo')
  node.set(...both)
  await network.until(() => isAnswering(node))
  await network.ip('node', 'address', 'add', '192.0.2.77/32', 'dev', 'lo')
  await node.end('SIGKILL')
  expect(await owned(network)).toEqual([vip, vip6])
  expect(await arping(network)).toEqual([])
  expect(await network.resolve('client', vip6)).toBeUndefined()
  const next = nodeAt(network, 'node', 'lo')
  await next.states()
  expect(await owned(network)).toEqual([])
  expect(await network.ip('node', 'address', 'show', 'dev', 'lo')).toContain('192.0.2.77')
  expect([...next.log].sort()).toEqual(
    [vip, vip6].map((address) => `${address} was left behind on an interface, and is removed`),
  )
})

l2Test('an address that somebody else has put there stays', async () => {
  const network = await networkOf(['node', 'client'])
  await network.ip('node', 'address', 'add', `${vip}/32`, 'dev', 'lo')
  const node = nodeAt(network, 'node', 'lo')
  node.set({ address: vip, isTakenOver: true })
  await network.until(() => isAnswering(node))
  node.tell({ type: 'close' })
  await network.until(() => node.log.includes('closed'))
  expect(await owned(network)).toEqual([vip])
})
