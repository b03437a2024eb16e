import { randomInt } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { Bfd, type BfdChange } from './bfd.ts'
import type { Timers } from './session.ts'

const network = [127, randomInt(1, 255), randomInt(255)] as const
const address = (last: number) => ({ octets: Uint8Array.of(...network, last), scope: 0 })

/** 50 ms x 5. */
const fast: Timers = { desiredMinTx: 50_000, requiredMinRx: 50_000, detectMultiplier: 5 }

/** One end: who watches, and what it has seen, by the last octet of who is watched. */
class Watcher {
  readonly seen: [number, BfdChange][] = []
  readonly log: string[] = []
  readonly bfd = new Bfd((message) => this.log.push(message))
  readonly #own: number

  constructor(own: number) {
    this.#own = own
    running.push(this)
  }

  watch(...peers: readonly number[]): void {
    this.watchAt(fast, ...peers)
  }

  watchAt(timers: Timers, ...peers: readonly number[]): void {
    const local = address(this.#own)
    this.bfd.set(
      peers.map((peer) => ({
        path: { peer: address(peer), local, device: undefined, isMultihop: false, minHops: 255 },
        timers,
        onChange: (change) => this.seen.push([peer, change]),
      })),
    )
  }
}

const running: Watcher[] = []
afterEach(() => {
  for (const { bfd } of running.splice(0)) bfd.close()
})

const isUp: BfdChange = { isUp: true, isFailure: false }
const patience = { timeout: 10_000 }

test('sessions of one address are told apart by who is at their other end', async () => {
  const [one, two, three] = [new Watcher(1), new Watcher(2), new Watcher(3)]
  one.watch(2, 3)
  two.watch(1)
  three.watch(1)
  await expect.poll(() => one.seen, patience).toHaveLength(2)
  expect(one.seen.map(([peer]) => peer).sort()).toEqual([2, 3])
  one.seen.length = 0
  // Who switches off is no failure, and nothing to the others.
  three.watch()
  await expect.poll(() => one.seen, patience).toEqual([[3, { isUp: false, isFailure: false }]])
  three.watch(1)
  await expect.poll(() => one.seen.at(-1), patience).toEqual([3, isUp])
  expect(two.seen).toEqual([[1, isUp]])
})

test('a session stays up while the main thread does nothing at all for six detection times', async () => {
  const [one, two] = [new Watcher(1), new Watcher(2)]
  one.watch(2)
  two.watch(1)
  await expect.poll(() => [one.seen, two.seen], patience).toEqual([[[2, isUp]], [[1, isUp]]])
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6 * 250)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect([one.seen, two.seen]).toEqual([[[2, isUp]], [[1, isUp]]])
})

test('a peer that is set again with the same path keeps its session, whoever is told of it then', async () => {
  const [one, two] = [new Watcher(1), new Watcher(2)]
  one.watch(2)
  two.watch(1)
  await expect.poll(() => two.seen, patience).toEqual([[1, isUp]])
  one.watchAt({ ...fast, desiredMinTx: 80_000 }, 2)
  one.watch(2)
  one.watch(2, 2)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(two.seen).toEqual([[1, isUp]])
  two.watch()
  const isOff = { isUp: false, isFailure: false }
  await expect
    .poll(() => one.seen.slice(1), patience)
    .toEqual([
      [2, isOff],
      [2, isOff],
    ])
})

test('where there are no sockets, somebody is told why', async () => {
  const [one] = [new Watcher(1)]
  const path = { peer: address(2), local: { octets: Uint8Array.of(203, 0, 113, 1), scope: 0 }, device: undefined }
  one.bfd.set([{ path: { ...path, isMultihop: false, minHops: 255 }, timers: fast, onChange: () => {} }])
  await expect.poll(() => one.log, patience).toEqual([`no BFD with ${network.join('.')}.2 yet: bind: EADDRNOTAVAIL`])
})
