import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const examples = readdirSync('examples').filter((name) => existsSync(`examples/${name}/check.ts`))

test('there are four examples', () => {
  expect(examples).toEqual(['canary', 'cross-namespace', 'quickstart', 'redirects-and-rewrites'])
})

// One after the other: they keep their tables in the same local store.
for (const name of examples) {
  test(`the example ${name} does what its README says`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['examples/check.ts', name])
    expect(stdout).toContain('as its README says')
  })
}
