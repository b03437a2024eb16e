import assert from 'node:assert/strict'
import type { Check } from '../check.ts'

/** The demo origins, by name, and their ports. */
export const origins = { 'web-v1': 9011, 'web-v2': 9012, 'web-next': 9013 }

export const check: Check = async (ask, running) => {
  for (let i = 0; i < 20; i++) {
    assert.match((await ask('http://canary.localhost/', { 'x-canary': 'always' })).body, /^web-v2 /)
  }
  const draws = 400
  let canaries = 0
  for (let i = 0; i < draws; i++) if ((await ask(`http://canary.localhost/${i}`)).body.startsWith('web-v2 ')) canaries++
  // Five standard deviations of 400 draws at 10 % and at 50 %.
  assert.ok(Math.abs(canaries - draws * 0.1) < 30, `${canaries} of ${draws} went to the canary`)
  const copies = running.get('web-next')?.requests.length ?? 0
  assert.ok(Math.abs(copies - draws * 0.5) < 50, `${copies} of ${draws} were mirrored`)
}
