import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BfdSite, type WatchedPeer } from './bfd-site.ts'
import { has } from './serve-rig.ts'

// In CI nothing is passed over: there it fails for who may not make namespaces.
const isRoot = process.env.CI !== undefined || process.getuid?.() === 0
if (!isRoot) console.warn('BFD is not tried: only root can lay a wire')
const birdTest = test.skipIf(!has('bird') || !has('ip') || !isRoot)

/** 50 ms x 3 at both ends. */
const bird = { interval: 50, multiplier: 3 }
const bfd = { transmitIntervalMilliseconds: 50, receiveIntervalMilliseconds: 50, detectMultiplier: 3 }
const watched: WatchedPeer = { family: 'ipv4', hops: 1, bfd, isHeeded: true }

/** Milliseconds in which 50 ms x 3 is to be noticed on a machine that does much else. */
const noticed = 300

let site: BfdSite

beforeEach(async () => {
  site = await BfdSite.create()
})
afterEach(() => site.close())

/** Milliseconds, as BIRD has them. */
const agrees = (interval: number, timeout: number, peer = 0): Promise<number> =>
  site.until(async () => {
    const session = await site.bfd(peer)
    return session?.interval === interval && session.timeout === timeout
  })

const tell = (what: string, milliseconds: number): void => console.log(`${what}: ${milliseconds.toFixed(0)} ms`)

birdTest(
  'sessions with neighbours of both families, and over more hops, agree on the intervals of both ends',
  async () => {
    await site.start([watched, { ...watched, family: 'ipv6' }, { ...watched, hops: 4 }], bird)
    for (const peer of [0, 1, 2]) await agrees(50, 150, peer)
  },
)

birdTest('a session with a link-local address is on one interface', async () => {
  await site.start([{ ...watched, family: 'linkLocal' }], bird)
  await agrees(50, 150)
})

birdTest('an agent that ends says so, and does not wait for anything', async () => {
  await site.start([{ ...watched, isHeeded: false }], bird)
  const start = performance.now()
  await Promise.all([site.agent.end('SIGTERM'), site.until(async () => (await site.bfd())?.state === 'Down')])
  expect(performance.now() - start).toBeLessThan(2000)
})

birdTest('a BIRD that stops is noticed, and BGP with it ends and comes back', async () => {
  await site.start([watched], bird)
  for (const round of [1, 2, 3]) {
    const before = site.agent.log.length
    site.bird.signal('SIGSTOP')
    const time = await site.until(() => site.agent.log.slice(before).includes('session down: BFD'))
    tell(`BIRD stopped, BGP ended by the agent (${round})`, time)
    expect(time).toBeLessThan(noticed)
    site.bird.signal('SIGCONT')
    await site.until(() => site.agent.log.slice(before).includes('session up'))
    await site.untilUp()
  }
})

birdTest('a BIRD that is killed is noticed, and another is found when it is there', async () => {
  await site.start([watched], bird)
  await site.bird.end('SIGKILL')
  await site.startBird()
  await site.untilUp()
})

birdTest('an agent that stops is noticed by BIRD', async () => {
  await site.start([watched], bird)
  for (const round of [1, 2, 3]) {
    const stopped = Date.now()
    site.agent.signal('SIGSTOP')
    await site.until(async () => (await site.bfd())?.state === 'Down')
    const time = ((await site.bfd())?.since ?? Number.NaN) - stopped
    tell(`agent stopped, noticed by BIRD (${round})`, time)
    expect(time).toBeLessThan(noticed)
    expect(await site.isEstablished()).toBe(false)
    site.agent.signal('SIGCONT')
    await site.untilUp()
  }
})

birdTest('a peer that is lost is told so by a NOTIFICATION', async () => {
  await site.start([{ ...watched, isHeeded: false }], bird)
  site.bird.signal('SIGSTOP')
  await site.until(() => site.agent.log.includes('session down: BFD'))
  site.bird.signal('SIGCONT')
  // Cease, BFD Down, which this BIRD has no name for.
  await site.until(async () =>
    (await site.birdc('show', 'protocols', 'all', 'peer0')).includes('Received: Unknown error 6.10'),
  )
  await site.untilUp()
})

birdTest('new intervals are agreed on a session that stays up, and BGP stays up without any', async () => {
  await site.start([{ ...watched, isHeeded: false }], bird)
  const before = await site.bfd()
  await site.writeManifests([{ ...watched, bfd: { ...bfd, transmitIntervalMilliseconds: 400, detectMultiplier: 5 } }])
  await agrees(50, 2000)
  await site.writeManifests([{ ...watched, bfd: { ...bfd, receiveIntervalMilliseconds: 200 } }])
  await agrees(200, 150)
  expect(await site.bfd()).toMatchObject({ state: 'Up', since: before?.since })
  await site.writeManifests([{ ...watched, bfd: undefined }])
  await site.until(async () => (await site.bfd())?.state === 'Down')
  expect(site.agent.log.match(/session (up|down)/g)).toEqual(['session up'])
})
