import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Cases } from './serve-cases.ts'
import { run } from './serve-rig.ts'
import { hosts, ports, type World } from './serve-world.ts'

/** What h2load says of so many requests. */
async function h2load({ site }: World, scheme: 'http' | 'https', host: string, path: string, args: readonly string[]) {
  const port = ports[scheme]
  const to = [`--connect-to=${site.address}:${port}`, `${scheme}://${host}:${port}${path}`]
  const { code, stdout, stderr } = await run('h2load', ['-t1', ...args, ...to])
  expect(code, stderr).toBe(0)
  return stdout
}

/** What h2load says when each of `requests` was answered with a status from 200 to 299. */
const allGood = (requests: number) =>
  expect.stringMatching(
    new RegExp(
      `${requests} succeeded, 0 failed, 0 errored, 0 timeout\\nstatus codes: ${requests} 2xx, 0 3xx, 0 4xx, 0 5xx`,
    ),
  )

const body = 'a body of h2load\n'.repeat(1_000)

export const loadCases: Cases = {
  'h2load is answered by h2c and by h2, with many streams on a few connections': async (world) => {
    for (const scheme of ['http', 'https'] as const) {
      for (const host of [hosts.http1, hosts.h2c]) {
        const said = await h2load(world, scheme, host, '/bytes/100', ['-n2000', '-c8', '-m32'])
        expect([scheme, host, said]).toEqual([scheme, host, allGood(2_000)])
      }
    }
  },
  'h2load has large answers, and its bodies are taken': async (world) => {
    const file = join(world.site.directory, 'body')
    await writeFile(file, body)
    for (const host of [hosts.http1, hosts.h2c]) {
      const large = await h2load(world, 'http', host, '/bytes/1000000', ['-n100', '-c4', '-m8'])
      expect(large).toEqual(allGood(100))
      expect(large).toContain('(100000000) data')
      expect(await h2load(world, 'http', host, '/up', ['-n500', '-c4', '-m8', '-d', file])).toEqual(allGood(500))
    }
  },
  'h2load is answered by HTTP/1.1, one request after the other and over many connections': async (world) => {
    const said = await h2load(world, 'http', hosts.http1, '/bytes/100', ['--h1', '-n2000', '-c64'])
    expect(said).toEqual(allGood(2_000))
  },
  'wrk is answered without a fault': async ({ site }) => {
    for (const path of ['/bytes/100', '/chunks/3']) {
      const target = `http://${site.address}:${ports.http}${path}`
      const { code, stdout } = await run('wrk', ['-t1', '-c32', '-d1s', '-H', `Host: ${hosts.http1}`, target])
      expect(code).toBe(0)
      expect(stdout).not.toContain('Non-2xx')
      expect(stdout).not.toContain('Socket errors')
      expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(100)
    }
  },
}
