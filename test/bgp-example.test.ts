import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { has } from './serve-rig.ts'

const run = promisify(execFile)
const example = 'examples/bare-metal-bgp'

function start(program: string, words: readonly string[]): ChildProcess {
  const child = spawn(program, words, { stdio: 'ignore' })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

test.skipIf(!has('bird'))('the example bare-metal-bgp does what its README says', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bgp-example-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const [control, socket] = [join(directory, 'bird.ctl'), join(directory, 'agent.sock')]
  start('bird', ['-f', '-c', `${example}/bird.conf`, '-s', control, '-P', join(directory, 'bird.pid')])
  const agent = ['bgp', 'agent', '-f', example, '--node', 'node-1', '--socket', socket, '--no-admin']
  start('cli/landfall', agent)
  const routes = async (): Promise<readonly string[]> => {
    const { stdout } = await run('birdc', ['-s', control, 'show', 'route'])
    return [...stdout.matchAll(/^([\d.]+\/\d+)/gm)].map(([, prefix = '']) => prefix).toSorted()
  }
  await vi.waitFor(async () => expect(await routes()).toEqual(['10.1.0.0/24', '203.0.113.10/32', '203.0.113.11/32']), {
    timeout: 40_000,
    interval: 100,
  })
  const { stdout: all } = await run('birdc', ['-s', control, 'show', 'route', 'all', '203.0.113.10/32'])
  expect(all).toContain('BGP.community: (65000,100)')
  expect(all).toContain('BGP.med: 50')
  const { stdout: peers } = await run('cli/landfall', ['bgp', 'peers', '--socket', socket])
  expect(peers).toMatch(/node-1 +65001 +65000 +127\.0\.0\.2 +established/)
  const inner = await run('cli/landfall', ['bgp', 'explain', '203.0.113.12', '--socket', socket]).catch(
    (error) => error,
  )
  expect(inner.stdout).toContain('withheld of Service shop/inner LoadBalancerIP: no advertisement selects it')
})
