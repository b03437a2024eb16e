import assert from 'node:assert/strict'
import type { Check } from '../check.ts'

/** The demo origins, by name, and their ports. */
export const origins = { storefront: 9001, cart: 9002 }

export const check: Check = async (ask) => {
  assert.match((await ask('http://shop.localhost/')).body, /^storefront got GET \/\n/)
  assert.match((await ask('http://shop.localhost/cart/42')).body, /^cart got GET \/cart\/42\n[\s\S]*x-shop: quickstart/)
  const moved = await ask('http://shop.localhost/basket')
  assert.deepEqual([moved.status, moved.headers.location], [301, 'http://shop.localhost:8080/cart'])
  assert.equal((await ask('http://other.localhost/')).status, 404)
}
