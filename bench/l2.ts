// How soon ARP requests are answered. Run as root: npm run bench -- l2.
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { L2Network } from '../test/l2-network.ts'
import { L2NodeProcess } from '../test/l2-node-process.ts'
import type { Bar, Row } from './report.ts'

const requests = 2_000
/** Milliseconds between an answer and the next request. */
const pace = 2
/** Milliseconds: the main thread is busy for the first half of each turn. */
const turn = 100

const vip = '192.0.2.200'
const addresses = { node: '192.0.2.1', client: '192.0.2.2' } as const

export async function l2Bench(): Promise<readonly Row[]> {
  const network = await L2Network.create(['node', 'client'])
  const node = new L2NodeProcess(network.at('node'))
  try {
    node.set({ address: vip })
    await network.until(async () => (await node.states()).join() === 'answering')
    const kernel = await asked(network, addresses.node)
    const idle = await asked(network, vip)
    const end = new AbortController()
    const blocking = block(node, end.signal)
    const busy = await asked(network, vip)
    end.abort()
    await blocking
    return [
      ...rows('the kernel', kernel),
      ...rows('the responder', idle),
      ...rows('the responder, main thread busy half of the time', busy, { atMost: 1 }),
    ]
  } finally {
    await node.end('SIGKILL')
    await network.close()
  }
}

async function block(node: L2NodeProcess, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    node.tell({ type: 'block', milliseconds: turn / 2 })
    await sleep(turn)
  }
}

/** Milliseconds until each answer, in order of length. */
async function asked(network: L2Network, address: string): Promise<readonly number[]> {
  const index = /^(\d+):/.exec(await network.ip('client', 'link', 'show', 'eth0'))?.[1] ?? ''
  const script = join(import.meta.dirname, 'l2', 'asking.ts')
  const words = [index, await network.mac('client'), addresses.client, address, String(requests), String(pace)]
  const text = await network.run('client', process.execPath, script, ...words)
  const times = JSON.parse(text).map(Number)
  if (times.length < requests * 0.99) throw new Error(`${times.length} of ${requests} requests were answered`)
  return times.sort((a: number, b: number) => a - b)
}

const rows = (who: string, times: readonly number[], bar?: Bar): readonly Row[] => [
  { name: `${who}: half of the answers within`, value: share(times, 0.5), unit: 'ms' },
  { name: `${who}: 99 of 100 within`, value: share(times, 0.99), unit: 'ms', ...(bar === undefined ? {} : { bar }) },
]

const share = (times: readonly number[], part: number): number => times[Math.floor(times.length * part)] ?? Number.NaN
