import assert from 'node:assert/strict'
import type { Check } from '../check.ts'

/** The demo origins, by name, and their ports. */
export const origins = { api: 9021 }

export const check: Check = async (ask) => {
  const host = await ask('http://www.localhost/a/b?c=d')
  assert.deepEqual([host.status, host.headers.location], [308, 'http://api.localhost:8080/a/b?c=d'])
  const prefix = await ask('http://api.localhost/v0/users?page=2')
  assert.deepEqual([prefix.status, prefix.headers.location], [301, 'http://api.localhost:8080/v1/users?page=2'])

  const rewritten = await ask('http://api.localhost/v1/users/7?page=2')
  assert.match(rewritten.body, /^api got GET \/users\/7\?page=2\n[\s\S]*host: api\.internal\.example\n/)
  assert.equal(rewritten.headers['x-api-version'], '1')
  assert.equal(rewritten.headers['x-origin'], undefined)
  assert.match((await ask('http://api.localhost/v1')).body, /^api got GET \/\n/)

  for (const path of ['/ping', '/health', '/healthz']) {
    assert.match((await ask(`http://api.localhost${path}`)).body, /^api got GET \/status\n/)
  }
  assert.equal((await ask('http://api.localhost/healthzz')).status, 404)
}
