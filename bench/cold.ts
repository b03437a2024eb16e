import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeTable } from '../control/publish/encode.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { cpuOf } from './cpu.ts'
import { median, type Row } from './report.ts'
import { benchTable, gateway, hostname } from './tables.ts'

/** What the first request costs a Worker that has a table of 100,000 routes before it. */

const routes = 100_000
const rounds = 9
const address = '127.0.0.1:19104'

export async function coldBench(): Promise<readonly Row[]> {
  const encoded = encodeTable(benchTable(routes))
  if (!encoded.ok) throw new Error('the table does not fit')
  const { key, rootBytes, shards } = encoded.table
  const entries = new Map([[key, rootBytes], ...shards])
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const kv = createKvServer({ get: async (name) => entries.get(name), list: async () => [key] })
  kv.listen(join(directory, 'kv.sock'))
  await once(kv, 'listening')
  await writeFile(join(directory, 'worker.js'), await bundleWorker())
  const workerd = new Workerd(directory, console.error)
  const first: number[] = []
  const second: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      await workerd.serve({
        sockets: [{ name: 'http', address, props: { gateways: [gateway], port: 80 } }],
        storeAddress: `unix:${join(directory, 'kv.sock')}`,
        connectorAddress: '127.0.0.1:19105',
        variables: { CONNECTOR_KEY: 'bench:a-secret-of-benches', REFRESH_SECONDS: '3600' },
      })
      // A path that no route has: the table is what costs, not the way to an origin.
      first.push(await cpuOfRequest(workerd.pid ?? 0, hostname(round * 997)))
      second.push(await cpuOfRequest(workerd.pid ?? 0, hostname(round * 997 + 5)))
    }
  } finally {
    await workerd.close()
    kv.closeAllConnections()
    kv.close()
    await rm(directory, { recursive: true })
  }
  const bytes = [...shards.values()].reduce((sum, shard) => sum + shard.length, 0)
  return [
    { name: 'first request of an isolate, CPU', value: median(first), unit: 'ms', bar: { atMost: 50 } },
    { name: 'first request for another host, CPU', value: median(second), unit: 'ms' },
    { name: 'shards', value: shards.size, unit: '' },
    { name: 'size of the table', value: bytes / 1e6, unit: 'MB' },
    { name: 'size of the root', value: rootBytes.length / 1e3, unit: 'kB' },
  ]
}

async function cpuOfRequest(pid: number, host: string): Promise<number> {
  const before = await cpuOf(pid)
  const outgoing = request(`http://${address}/no/such/path`, { headers: { host }, agent: false }).end()
  const [response] = await once(outgoing, 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 404) throw new Error(`expected 404, got ${response.statusCode}`)
  // What the isolate still does in the background is part of the price.
  await sleep(100)
  return ((await cpuOf(pid)) - before) * 1000
}
