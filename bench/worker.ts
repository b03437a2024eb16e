import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { encodeTable } from '../control/publish/encode.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { cpuOf } from './cpu.ts'
import { median, type Row } from './report.ts'
import { benchTable, gateway, hostname } from './tables.ts'

/** The Worker on plain workerd with 10,000 routes, beside a bare passthrough worker and one written by hand, in turns. */

const routes = 10_000
const rounds = 21
const milliseconds = 600
/** Before the first round: until then V8 has not optimised what a Worker runs. */
const warmUp = 8_000
const connections = 32
const originAddress = '127.0.0.1:19000'

interface Contender {
  readonly name: string
  readonly address: string
  readonly path: 'plain' | 'edit'
}

const contenders: readonly Contender[] = [
  { name: 'bare fetch', address: '127.0.0.1:19101', path: 'plain' },
  { name: 'landfall, no filter', address: '127.0.0.1:19103', path: 'plain' },
  { name: 'headers by hand', address: '127.0.0.1:19102', path: 'edit' },
  { name: 'landfall, headers both ways', address: '127.0.0.1:19103', path: 'edit' },
]

const request = (host: number, path: Contender['path'], rule: number): string =>
  [
    `GET /${path}/${rule}/items/42?page=2 HTTP/1.1`,
    `Host: ${hostname(host)}`,
    'User-Agent: bench/1.0',
    'Accept: application/json, text/plain, */*',
    'Accept-Encoding: gzip, br',
    'Accept-Language: en',
    'X-Removed: yes',
    '\r\n',
  ].join('\r\n')

const requests = (path: Contender['path']): string =>
  Array.from({ length: 200 }, (_, n) =>
    request((n * 37) % (routes / 10), path, ((n * 2) % 10) + (path === 'plain' ? 0 : 1)),
  ).join('\0')

/** Requests a second, and nothing else went wrong. */
async function load(contender: Contender, duration: number): Promise<number> {
  const child = spawn(process.execPath, ['bench/load.ts', contender.address, String(connections), String(duration)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(requests(contender.path))
  const result = JSON.parse(await text(child.stdout))
  if (result.errors > 0) throw new Error(`${contender.name}: ${result.errors} errors`)
  return result.requests / result.seconds
}

export async function workerBench(): Promise<readonly Row[]> {
  const encoded = encodeTable(benchTable(routes))
  if (!encoded.ok) throw new Error('the table does not fit')
  const entries = new Map([[encoded.table.key, encoded.table.rootBytes], ...encoded.table.shards])
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const origin = spawn(process.execPath, ['bench/origin.ts', originAddress], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kv = createKvServer({ get: async (key) => entries.get(key), list: async () => [encoded.table.key] })
  kv.listen(join(directory, 'kv.sock'))
  await once(origin.stdout, 'data')
  const started: Workerd[] = []
  try {
    for (const [script, address] of [
      [await readFile('bench/worker-bare.js', 'utf8'), '127.0.0.1:19101'],
      [await readFile('bench/worker-hand-written.js', 'utf8'), '127.0.0.1:19102'],
      [await bundleWorker(), '127.0.0.1:19103'],
    ] as const) {
      const own = await mkdtemp(join(directory, 'worker-'))
      await writeFile(join(own, 'worker.js'), script)
      const workerd = new Workerd(own, console.error)
      started.push(workerd)
      await workerd.serve({
        sockets: [{ name: 'http', address, props: { gateways: [gateway], port: 80 } }],
        storeAddress: `unix:${join(directory, 'kv.sock')}`,
        connectorAddress: originAddress,
        variables: { CONNECTOR_KEY: 'bench:a-secret-of-benches', REFRESH_SECONDS: '3600' },
      })
    }
    const pids = new Map(
      contenders.map(({ name, address }) => [name, started[Number(address.slice(-1)) - 1]?.pid ?? 0]),
    )
    const rates = new Map(contenders.map(({ name }): [string, number[]] => [name, []]))
    const cpu = new Map(contenders.map(({ name }): [string, number[]] => [name, []]))
    for (const contender of contenders) await load(contender, warmUp)
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const pid = pids.get(contender.name) ?? 0
        const before = await cpuOf(pid)
        const rate = await load(contender, milliseconds)
        rates.get(contender.name)?.push(rate)
        cpu.get(contender.name)?.push((((await cpuOf(pid)) - before) * 1e6) / ((rate * milliseconds) / 1000))
      }
    }
    const ratio = (a: string, b: string): number =>
      median((rates.get(a) ?? []).map((rate, round) => rate / (rates.get(b)?.[round] ?? Number.NaN)))
    return [
      ...contenders.flatMap(({ name }) => [
        { name, value: median(rates.get(name) ?? []), unit: 'req/s' },
        { name: `${name}: CPU of workerd`, value: median(cpu.get(name) ?? []), unit: 'us/req' },
      ]),
      {
        name: 'landfall without a filter / bare fetch',
        value: ratio('landfall, no filter', 'bare fetch'),
        unit: '',
        bar: 'at least 0.75',
      },
      {
        name: 'landfall / by hand, headers both ways',
        value: ratio('landfall, headers both ways', 'headers by hand'),
        unit: '',
        bar: 'at least 0.85',
      },
    ]
  } finally {
    for (const workerd of started) await workerd.close()
    origin.kill()
    kv.close()
    await rm(directory, { recursive: true })
  }
}
