import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rangeOfCidr } from '../../kube/addresses/ip-range.ts'
import type { Block } from './pool-plan.ts'
import { preferredSlot, Slots } from './slots.ts'

const block = (cidr: string): Block => {
  const range = rangeOfCidr(cidr)
  if (range === undefined) throw new TypeError(cidr)
  return { ...range, text: cidr }
}

test('the nearest free slot is found as a search one by one would find it', () => {
  const steps = fc.array(fc.nat(19), { maxLength: 40 })
  fc.assert(
    fc.property(steps, fc.nat(19), (taken, from) => {
      const slots = new Slots('IPv4', [block('192.0.2.16/28'), block('192.0.2.0/30')])
      for (const slot of taken) {
        // Searches change what searches stand on.
        slots.freeFrom(slot)
        slots.take(slots.addressAt(slot))
      }
      const order = Array.from({ length: 20 }, (_, i) => (from + i) % 20)
      expect(slots.freeFrom(from)).toBe(order.find((slot) => !taken.includes(slot)))
    }),
  )
})

test('every address has one slot, of whatever block it is', () => {
  const slots = new Slots('IPv4', [block('192.0.2.16/28'), block('192.0.2.0/30'), block('2001:db8::/64')])
  const addresses = Array.from({ length: slots.size }, (_, slot) => slots.addressAt(slot))
  expect(new Set(addresses).size).toBe(20)
  for (const address of addresses) slots.take(address)
  expect([slots.isFull, slots.freeFrom(3)]).toEqual([true, undefined])
})

test('a pool that is full but for one gives that one at once', () => {
  const slots = new Slots('IPv4', [block('10.0.0.0/16')])
  const [first, left] = [slots.addressAt(0), 40_000]
  for (let slot = 0; slot < slots.size; slot++) if (slot !== left) slots.take(first + BigInt(slot))
  for (let round = 0; round < 100_000; round++) expect(slots.freeFrom(round % slots.size) === left).toBe(true)
}, 5_000)

test('a network of IPv6 costs what is taken of it', () => {
  const slots = new Slots('IPv6', [block('2001:db8::/32')])
  expect(slots.size).toBe(Number.MAX_SAFE_INTEGER)
  const slot = preferredSlot('Service shop/web IPv6', slots.size)
  slots.take(slots.addressAt(slot))
  expect(slots.freeFrom(slot)).toBe(slot + 1)
})

test('an address without a slot is nobody else’s', () => {
  const slots = new Slots('IPv6', [block('2001:db8::/32')])
  slots.take((rangeOfCidr('2001:db8::/32')?.last ?? 0n) - 1n)
  slots.take(1n)
  expect(slots.freeFrom(0)).toBe(0)
})
