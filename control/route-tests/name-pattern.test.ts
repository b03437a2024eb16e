import { expect, test } from 'vitest'
import { isBackend, isGateway, isRoute } from './name-pattern.ts'

test.for([
  ['cart', 'shop/cart:80', true],
  ['cart:80', 'shop/cart:80', true],
  ['shop/cart', 'shop/cart:80', true],
  ['shop/cart:80', 'shop/cart:80', true],
  ['shop/cart:80', 'shop/cart:80/grpc', true],
  ['cart:80/grpc', 'shop/cart:80/grpc', true],
  ['cart:80/udp', 'shop/cart:80', false],
  ['cart:8', 'shop/cart:80', false],
  ['car', 'shop/cart:80', false],
  ['art', 'shop/cart:80', false],
  ['op/cart', 'shop/cart:80', false],
  ['other/cart', 'shop/cart:80', false],
] as const)('that %s means backend %s is %s', ([pattern, key, holds]) => {
  expect(isBackend(pattern, key)).toBe(holds)
})

test.for([
  ['web', 'HTTPRoute shop/web', true],
  ['shop/web', 'HTTPRoute shop/web', true],
  ['HTTPRoute shop/web', 'HTTPRoute shop/web', true],
  ['GRPCRoute shop/web', 'HTTPRoute shop/web', false],
  ['hop/web', 'HTTPRoute shop/web', false],
  ['eb', 'HTTPRoute shop/web', false],
] as const)('that %s means route %s is %s', ([pattern, route, holds]) => {
  expect(isRoute(pattern, route)).toBe(holds)
})

test.for([
  ['web', 'shop/web', true],
  ['shop/web', 'shop/web', true],
  ['op/web', 'shop/web', false],
  ['eb', 'shop/web', false],
] as const)('that %s means Gateway %s is %s', ([pattern, gateway, holds]) => {
  expect(isGateway(pattern, gateway)).toBe(holds)
})
