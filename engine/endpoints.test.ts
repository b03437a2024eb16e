import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Backend } from '../proto/gen/route_table.ts'
import { defaultEjection, EndpointBalancer, type Outcome, outcomeOfStatus } from './endpoints.ts'

const backendOf = (addresses: readonly string[], key = 'shop/cart:80'): Backend => ({
  key,
  protocol: 0,
  origin: 0,
  originAddress: '',
  endpoints: addresses.map((address) => ({ address, port: 8080 })),
  tls: undefined,
})

const backendWith = (count: number, key?: string): Backend =>
  backendOf(
    Array.from({ length: count }, (_, i) => `10.0.0.${i}`),
    key,
  )

/** Always draws the first endpoint. */
const low = (): number => 0

function tryOnce(balancer: EndpointBalancer, backend: Backend, index: number, outcome: Outcome, now = 0): void {
  balancer.of(backend).started(index)
  balancer.of(backend).finished(index, outcome, now)
}

/** Fails `times` tries at one endpoint. */
function fail(balancer: EndpointBalancer, backend: Backend, index: number, now = 0, times = defaultEjection.failures) {
  for (let i = 0; i < times; i++) tryOnce(balancer, backend, index, 'connect-failed', now)
}

/** Which endpoints come up in as many picks as show them all. */
function inUse(balancer: EndpointBalancer, backend: Backend, now: number): number[] {
  const picks = backend.endpoints.map(() => balancer.of(backend).pick(now, low) ?? -1)
  return [...new Set(picks)].sort((a, b) => a - b)
}

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('a backend without endpoints has none to pick', () => {
  expect(new EndpointBalancer().of(backendOf([])).pick(0, low)).toBeUndefined()
})

test('requests that end before the next one come are spread evenly, whatever is drawn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fraction, { maxLength: 60 }), (count, draws) => {
      const balancer = new EndpointBalancer()
      const backend = backendWith(count)
      const taken = new Array<number>(count).fill(0)
      for (const draw of draws) {
        const index = balancer.of(backend).pick(0, () => draw) ?? -1
        taken[index] = (taken[index] ?? 0) + 1
        tryOnce(balancer, backend, index, 'answered')
      }
      expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(1)
    }),
  )
})

test('a table refresh does not begin the turns anew', () => {
  const balancer = new EndpointBalancer()
  const picks = Array.from({ length: 6 }, () => balancer.of(backendWith(3)).pick(0, low))
  expect(picks).toEqual([0, 1, 2, 0, 1, 2])
})

test('a slow endpoint gets less than a quick one, and more than nothing', () => {
  const balancer = new EndpointBalancer()
  const backend = backendWith(2)
  const taken = [0, 0]
  const slow: number[] = []
  for (let now = 0; now < 1000; now++) {
    const index = balancer.of(backend).pick(now, () => 0.99) ?? -1
    taken[index] = (taken[index] ?? 0) + 1
    balancer.of(backend).started(index)
    if (index === 0) slow.push(now + 10)
    else balancer.of(backend).finished(index, 'answered', now)
    if (slow[0] === now) {
      slow.shift()
      balancer.of(backend).finished(0, 'answered', now)
    }
  }
  expect(taken[0]).toBeGreaterThan(50)
  expect(taken[0]).toBeLessThan(120)
})

test('a retry goes to an endpoint that was not tried, and to any when all were', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.uniqueArray(fc.nat(5)), fraction, (count, tried, draw) => {
      const except = new Set(tried)
      const index = new EndpointBalancer().of(backendWith(count)).pick(0, () => draw, except)
      const untried = Array.from({ length: count }, (_, i) => i).filter((i) => !except.has(i))
      expect(index).toBeOneOf(untried.length > 0 ? untried : Array.from({ length: count }, (_, i) => i))
    }),
  )
})

test('failures in a row eject an endpoint, and time brings it back', () => {
  const balancer = new EndpointBalancer()
  const backend = backendWith(3)
  fail(balancer, backend, 1, 0, defaultEjection.failures - 1)
  expect(inUse(balancer, backend, 0)).toEqual([0, 1, 2])
  fail(balancer, backend, 1, 0, 1)
  expect(inUse(balancer, backend, 0)).toEqual([0, 2])
  expect(inUse(balancer, backend, defaultEjection.base - 1)).toEqual([0, 2])
  expect(inUse(balancer, backend, defaultEjection.base)).toEqual([0, 1, 2])
})

test('a success in between starts the count of failures anew', () => {
  const balancer = new EndpointBalancer()
  const backend = backendWith(3)
  fail(balancer, backend, 1, 0, defaultEjection.failures - 1)
  tryOnce(balancer, backend, 1, 'answered')
  fail(balancer, backend, 1, 0, defaultEjection.failures - 1)
  expect(inUse(balancer, backend, 0)).toEqual([0, 1, 2])
})

test('an endpoint that fails at once again stays out longer each time, up to the longest', () => {
  const balancer = new EndpointBalancer()
  const backend = backendWith(3)
  const { base, longest } = defaultEjection
  fail(balancer, backend, 0)
  let back = base
  for (let times = 2; times <= 12; times++) {
    const now = back
    fail(balancer, backend, 0, now, 1)
    back = now + Math.min(longest, base * times)
    expect(inUse(balancer, backend, back - 1)).toEqual([1, 2])
    expect(inUse(balancer, backend, back)).toEqual([0, 1, 2])
  }
  const later = back + 20 * base
  fail(balancer, backend, 0, later, 5)
  expect(inUse(balancer, backend, later + base)).toEqual([0, 1, 2])
})

test('a gateway error counts only where the policy says so, and a client that leaves never', () => {
  const lenient = new EndpointBalancer({ ...defaultEjection, gatewayErrors: false })
  const strict = new EndpointBalancer()
  const backend = backendWith(2)
  for (let i = 0; i < 9; i++) {
    tryOnce(lenient, backend, 0, outcomeOfStatus(503))
    tryOnce(strict, backend, 0, outcomeOfStatus(500))
    tryOnce(strict, backend, 1, 'abandoned')
  }
  expect(inUse(lenient, backend, 0)).toEqual([0, 1])
  expect(inUse(strict, backend, 0)).toEqual([0, 1])
  for (let i = 0; i < 9; i++) tryOnce(strict, backend, 0, outcomeOfStatus(503))
  expect(inUse(strict, backend, 0)).toEqual([1])
})

test('never more than half of the endpoints are ejected', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(7), { maxLength: 200 }), (count, failing) => {
      const balancer = new EndpointBalancer()
      const backend = backendWith(count)
      for (const index of failing) tryOnce(balancer, backend, index % count, 'connection-lost')
      expect(inUse(balancer, backend, 0).length).toBeGreaterThanOrEqual(Math.ceil(count / 2))
    }),
  )
})

test('when a new table leaves only ejected endpoints, all of them are used', () => {
  const balancer = new EndpointBalancer()
  const before = backendWith(4)
  fail(balancer, before, 0)
  fail(balancer, before, 1)
  const after = backendWith(2)
  expect(inUse(balancer, after, 0)).toEqual([0, 1])
})

test('what is known of an endpoint survives a table refresh that keeps it', () => {
  const balancer = new EndpointBalancer()
  const before = backendOf(['a', 'b', 'c'])
  fail(balancer, before, 2)
  balancer.of(before).started(0)
  const after = backendOf(['c', 'd', 'a', 'b'])
  // "a" still has a request outstanding, so it gives way to "d" in its turn.
  const turns = Array.from({ length: 12 }, () => balancer.of(after).pick(0, () => 0.3))
  expect(new Set(turns)).toEqual(new Set([1, 3]))
  balancer.of(before).finished(0, 'answered', 0)
  expect(inUse(balancer, after, 0)).toEqual([1, 2, 3])
})

test('the backend seen first is forgotten when there are too many', () => {
  const balancer = new EndpointBalancer()
  fail(balancer, backendWith(2, 'first'), 0)
  expect(inUse(balancer, backendWith(2, 'first'), 0)).toEqual([1])
  for (let i = 0; i < 20_000; i++) balancer.of(backendWith(1, `${i}`)).pick(0, low)
  expect(inUse(balancer, backendWith(2, 'first'), 0)).toEqual([0, 1])
})
