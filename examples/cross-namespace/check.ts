import assert from 'node:assert/strict'
import type { Check } from '../check.ts'

/** The demo origins, by name, and their ports. */
export const origins = { site: 9031, search: 9032 }

export const check: Check = async (ask) => {
  assert.match((await ask('http://a.localhost/')).body, /^site /)
  assert.match((await ask('http://a.localhost/search?q=x')).body, /^search got GET \/search\?q=x\n/)
  // The route of team-b is not accepted.
  assert.equal((await ask('http://b.localhost/')).status, 404)
}
