// The Worker on plain workerd with 10,000 routes, beside a bare passthrough worker and one written by hand.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { encodeTable } from '../control/publish/encode.ts'
import type { GatewayTable } from '../control/table.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { AppProtocol, type Filter, Origin, PathMatch_Kind, Protocol } from '../proto/gen/route_table.ts'

const routes = 10_000
const rounds = 9
const milliseconds = 1_500
const connections = 32
const originAddress = '127.0.0.1:19000'

const gateway = 'bench/web'
const headerFilters: Filter[] = [
  {
    kind: {
      $case: 'requestHeaders',
      value: { set: [{ name: 'x-shop', value: 'bench' }], add: [{ name: 'x-added', value: 'by the gateway' }], remove: ['x-removed'] },
    },
  },
  {
    kind: {
      $case: 'responseHeaders',
      value: { set: [{ name: 'x-served-by', value: 'bench' }], add: [{ name: 'x-answered', value: 'yes' }], remove: ['server'] },
    },
  },
]

/** Ten routes a host; those under /plain have no filter, those under /edit change headers both ways. */
function benchTable(): GatewayTable {
  const hosts = Array.from({ length: routes / 10 }, (_, host) => ({
    listener: 'http',
    hostname: `host-${host}.example.com`,
    matches: Array.from({ length: 10 }, (_, rule) => ({
      rule,
      path: { kind: PathMatch_Kind.PREFIX, value: `/${rule % 2 === 0 ? 'plain' : 'edit'}/${rule}` },
      method: '',
      headers: [],
      query: [],
    })),
    rules: Array.from({ length: 10 }, (_, rule) => ({
      route: `HTTPRoute bench/host-${host}`,
      index: rule,
      name: '',
      filters: rule % 2 === 0 ? [] : headerFilters,
      backends: [{ backend: 'bench/api:80', weight: 1, filters: [], invalid: '' }],
      timeouts: undefined,
      retry: undefined,
      session: undefined,
      invalid: '',
    })),
  }))
  return {
    gateway,
    listeners: [{ id: 'http', port: 80, protocol: Protocol.HTTP, hostname: '' }],
    hosts,
    backends: [
      {
        key: 'bench/api:80',
        protocol: AppProtocol.HTTP1,
        origin: Origin.CONNECTOR,
        originAddress: '',
        endpoints: [{ address: '127.0.0.1', port: 19000 }],
      },
    ],
    settings: { hideReason: false, trustedHops: 0 },
  }
}

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
    `Host: host-${host}.example.com`,
    'User-Agent: bench/1.0',
    'Accept: application/json, text/plain, */*',
    'Accept-Encoding: gzip, br',
    'Accept-Language: en',
    'X-Removed: yes',
    '\r\n',
  ].join('\r\n')

const requests = (path: Contender['path']): string =>
  Array.from({ length: 200 }, (_, n) => request((n * 37) % (routes / 10), path, (n * 2) % 10 + (path === 'plain' ? 0 : 1))).join('\0')

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

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** CPU time of a process so far, in seconds. */
async function cpuOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function main(): Promise<void> {
  const encoded = encodeTable(benchTable())
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
        variables: { CONNECTOR_KEY: 'bench:secret', REFRESH_SECONDS: '3600' },
      })
    }
    const pids = new Map(contenders.map(({ name, address }) => [name, started[Number(address.slice(-1)) - 1]?.pid ?? 0]))
    const rates = new Map(contenders.map(({ name }): [string, number[]] => [name, []]))
    const cpu = new Map(contenders.map(({ name }): [string, number[]] => [name, []]))
    for (const contender of contenders) await load(contender, milliseconds)
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const pid = pids.get(contender.name) ?? 0
        const before = await cpuOf(pid)
        const rate = await load(contender, milliseconds)
        rates.get(contender.name)?.push(rate)
        cpu.get(contender.name)?.push(((await cpuOf(pid)) - before) / (rate * milliseconds / 1000) * 1e6)
      }
    }
    const of = (name: string): number => median(rates.get(name) ?? [])
    const ratio = (a: string, b: string): number =>
      median((rates.get(a) ?? []).map((rate, round) => rate / (rates.get(b)?.[round] ?? Number.NaN)))
    for (const { name } of contenders) console.log(`${name.padEnd(30)} ${of(name).toFixed(0).padStart(7)} req/s  ${median(cpu.get(name) ?? []).toFixed(0)} us CPU`)
    console.log(`landfall / bare            ${ratio('landfall, no filter', 'bare fetch').toFixed(2)}`)
    console.log(`landfall / by hand         ${ratio('landfall, headers both ways', 'headers by hand').toFixed(2)}`)
  } finally {
    for (const workerd of started) await workerd.close()
    origin.kill()
    kv.close()
    await rm(directory, { recursive: true })
  }
}

await main()
