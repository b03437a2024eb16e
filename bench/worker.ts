import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeTable } from '../control/publish/encode.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { cpuOf } from './cpu.ts'
import type { Slice, Tally } from './load.ts'
import { median, type Row } from './report.ts'
import { benchTable, gateway, hostname } from './tables.ts'

/** The Worker on plain workerd with 10,000 routes, beside a bare passthrough worker and one written by hand, in turns. */

const routes = 10_000
/** Two workerd processes that run the same are up to a tenth apart, for as long as they run, so each worker is started often. */
const starts = 6
/** Of one start. The machine's mood changes within a second, so turns are short, many, and compared with their neighbours. */
const rounds = 60
const milliseconds = 100
/** Before the first round: until then V8 has not optimised what a Worker runs. */
const warmUp = 5_000
const originAddress = '127.0.0.1:19000'
const bare = '127.0.0.1:19101'
const handWritten = '127.0.0.1:19102'
const landfall = '127.0.0.1:19103'

interface Contender {
  readonly name: string
  readonly address: string
  readonly path: 'plain' | 'edit'
}

const contenders: readonly Contender[] = [
  { name: 'bare fetch', address: bare, path: 'plain' },
  { name: 'landfall, no filter', address: landfall, path: 'plain' },
  { name: 'headers by hand', address: handWritten, path: 'edit' },
  { name: 'landfall, headers both ways', address: landfall, path: 'edit' },
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

const requests = (path: Contender['path']): readonly string[] =>
  Array.from({ length: 200 }, (_, n) =>
    request((n * 37) % (routes / 10), path, ((n * 2) % 10) + (path === 'plain' ? 0 : 1)),
  )

/** Load on one contender, where nothing goes wrong. */
async function load(loader: ChildProcess, { name, address, path }: Contender, milliseconds: number): Promise<Tally> {
  loader.send({ address, milliseconds, requests: requests(path) } satisfies Slice)
  const over = new AbortController()
  const [tally]: Tally[] = await Promise.race([
    once(loader, 'message', over),
    once(loader, 'exit', over).then(() => []),
  ])
  over.abort()
  if (tally === undefined || tally.errors > 0) throw new Error(`${name}: ${tally?.errors} errors`)
  return tally
}

/** Of one contender, turn by turn. */
interface Figures {
  /** Requests a second. */
  readonly rates: number[]
  /** Microseconds of workerd's CPU a request. */
  readonly cpu: number[]
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
  const figures = new Map(contenders.map(({ name }): [string, Figures] => [name, { rates: [], cpu: [] }]))
  try {
    for (let start = 0; start < starts; start++) await measure(directory, figures)
  } finally {
    origin.kill()
    kv.close()
    await rm(directory, { recursive: true })
  }
  return rowsOf(figures)
}

/** Adds one start of all three workers. */
async function measure(directory: string, figures: ReadonlyMap<string, Figures>): Promise<void> {
  const running = new Map<string, Workerd>()
  const loader = fork('bench/load.ts')
  try {
    for (const [script, address] of [
      [await readFile('bench/worker-bare.js', 'utf8'), bare],
      [await readFile('bench/worker-hand-written.js', 'utf8'), handWritten],
      [await bundleWorker(), landfall],
    ] as const) {
      const own = await mkdtemp(join(directory, 'worker-'))
      await writeFile(join(own, 'worker.js'), script)
      const workerd = new Workerd(own, console.error)
      running.set(address, workerd)
      await workerd.serve({
        sockets: [{ name: 'http', address, props: { gateways: [gateway], port: 80 } }],
        storeAddress: `unix:${join(directory, 'kv.sock')}`,
        connectorAddress: originAddress,
        variables: { CONNECTOR_KEY: 'bench:a-secret-of-benches', REFRESH_SECONDS: '3600' },
      })
    }
    for (const contender of contenders) await load(loader, contender, warmUp)
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const pid = running.get(contender.address)?.pid ?? 0
        const before = await cpuOf(pid)
        const { answered, seconds } = await load(loader, contender, milliseconds)
        figures.get(contender.name)?.rates.push(answered / seconds)
        figures.get(contender.name)?.cpu.push((((await cpuOf(pid)) - before) * 1e6) / answered)
      }
    }
  } finally {
    loader.kill()
    for (const workerd of running.values()) await workerd.close()
  }
}

function rowsOf(figures: ReadonlyMap<string, Figures>): readonly Row[] {
  const rates = (name: string): readonly number[] => figures.get(name)?.rates ?? []
  const ratio = (a: string, b: string): number =>
    median(rates(a).map((rate, turn) => rate / (rates(b)[turn] ?? Number.NaN)))
  return [
    ...contenders.flatMap(({ name }) => [
      { name, value: median(rates(name)), unit: 'req/s' },
      { name: `${name}: CPU of workerd`, value: median(figures.get(name)?.cpu ?? []), unit: 'us/req' },
    ]),
    {
      name: 'landfall without a filter / bare fetch',
      value: ratio('landfall, no filter', 'bare fetch'),
      unit: '',
      bar: { atLeast: 0.75 },
    },
    {
      name: 'landfall / by hand, headers both ways',
      value: ratio('landfall, headers both ways', 'headers by hand'),
      unit: '',
      bar: { atLeast: 0.85 },
    },
  ]
}
