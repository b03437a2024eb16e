import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { has } from './serve-rig.ts'

const run = promisify(execFile)
const example = 'examples/bare-metal-bgp'

/** In seconds: the least that BGP has. */
const holdTime = 3

function start(program: string, words: readonly string[]): ChildProcess {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bgp-example-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The path of its control socket. */
function startBird(directory: string): string {
  const control = join(directory, 'bird.ctl')
  start('bird', ['-f', '-c', `${example}/bird.conf`, '-s', control, '-P', join(directory, 'bird.pid')])
  return control
}

test.skipIf(!has('bird'))('the example bare-metal-bgp does what its README says', { timeout: 60_000 }, async () => {
  const directory = await temporary()
  const socket = join(directory, 'agent.sock')
  const control = startBird(directory)
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

test.skipIf(!has('bird'))(
  'a main thread that stands still for two hold times loses no session',
  { timeout: 60_000 },
  async () => {
    const directory = await temporary()
    const manifests = join(directory, 'manifests')
    await cp(example, manifests, { recursive: true })
    const config = await readFile(join(manifests, 'bgp.yaml'), 'utf8')
    const timers = `timers: { connectRetryTimeSeconds: 1, holdTimeSeconds: ${holdTime}, keepAliveTimeSeconds: 1 }`
    await writeFile(join(manifests, 'bgp.yaml'), config.replace(/timers: .*/, timers))
    const control = startBird(directory)
    const agent = start(process.execPath, ['test/bgp-blocked-agent.ts', manifests, String(2_000 * holdTime)])
    const lines = createInterface({ input: agent.stdout ?? process.stdin })
    const said: string[] = []
    lines.on('line', (line) => said.push(line))
    const session = async (): Promise<string> => {
      const { stdout } = await run('birdc', ['-s', control, 'show', 'protocols', 'node1'])
      return stdout.split('\n').find((line) => line.startsWith('node1')) ?? ''
    }
    await vi.waitFor(async () => expect(await session()).toContain('Established'), { timeout: 30_000, interval: 100 })
    const before = await session()
    agent.kill('SIGUSR2')
    await vi.waitFor(() => expect(said.at(-1)).toBe('goes on'), { timeout: 30_000, interval: 100 })
    // With the time since when.
    expect(await session()).toBe(before)
    expect(said.filter((line) => line.includes('session down'))).toEqual([])
  },
)
