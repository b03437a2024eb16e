import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { version } from '../engine/version.ts'

test('the code says the version of the package', () => {
  expect(version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
})
