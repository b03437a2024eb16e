import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DirectoryStore } from '../control/publish/directory.ts'
import { type PushAnswer, pushAnswer } from '../control/service/answers.ts'
import { StoredTablesReader } from '../serve/stored-tables.ts'
import { median, type Row } from './report.ts'

/** What a push of 100,000 routes costs, and then of one changed route among them, to a landfall control that publishes into a directory. */

const landfall = join(import.meta.dirname, '../cli/landfall')
const routes = 100_000
const rounds = 9

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: landfall}
spec: {controllerName: landfall.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: bench}
spec:
  gatewayClassName: landfall
  listeners: [{name: http, protocol: HTTP, port: 80}]
`

/** As JSON, which is YAML too: ten routes a host, all to one Service. */
const route = (n: number, version: number): string =>
  JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `route-${n}`, namespace: 'bench' },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [`host-${Math.floor(n / 10)}.example.com`],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: `/r${n}/v${version}` } }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'bench.example.com' } }],
        },
      ],
    },
  })

const manifests = (changed: number, version: number): string =>
  [gateway, ...Array.from({ length: routes }, (_, n) => `${route(n, n === changed ? version : 0)}\n`)].join('---\n')

export async function controlBench(): Promise<readonly Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const [data, store] = [join(directory, 'data'), join(directory, 'store')]
  const create = ['control', 'token', 'create', 'bench', '--set', '*', '--data', data]
  const token = execFileSync(landfall, create, { stdio: 'pipe' }).toString().trim()
  const control = spawn(landfall, ['control', '--data', data, '--to', `dir:${store}`, '--listen', '127.0.0.1:0'])
  try {
    const url = await urlOf(control)
    let since = performance.now()
    const body = manifests(-1, 0)
    const first = await push(url, token, body)
    const cold = performance.now() - since
    const times: number[] = []
    const effects: number[] = []
    let writes = 0
    const reader = new StoredTablesReader(new DirectoryStore(store))
    await reader.read()
    for (let round = 1; round <= rounds; round++) {
      const changed = manifests((round * 331) % routes, round)
      since = performance.now()
      const { written, version } = await push(url, token, changed)
      times.push(performance.now() - since)
      if (version !== round + 1) throw new Error(`version ${version} after ${round} changes`)
      writes = Math.max(writes, written.entries)
      await reader.read()
      effects.push(performance.now() - since)
    }
    const memory = await memoryOf(control.pid)
    return [
      { name: `${routes} routes, pushed`, value: body.length / 1e6, unit: 'MB' },
      { name: 'the first push', value: cold, unit: 'ms' },
      { name: 'the first push: entries written', value: first.written.entries, unit: '' },
      { name: 'one changed route: pushed', value: median(times), unit: 'ms', bar: 'at most 1000' },
      { name: 'one changed route: read by a data plane', value: median(effects), unit: 'ms', bar: 'at most 1000' },
      { name: 'one changed route: entries written', value: writes, unit: '', bar: 'at most 3' },
      { name: 'memory afterwards', value: memory.now, unit: 'MB' },
      { name: 'memory at its highest', value: memory.peak, unit: 'MB' },
      { name: 'database', value: (await readFile(join(data, 'control.db'))).length / 1e6, unit: 'MB' },
    ]
  } finally {
    control.kill('SIGTERM')
    await once(control, 'exit')
    await rm(directory, { recursive: true })
  }
}

async function urlOf(control: ChildProcess): Promise<string> {
  let printed = ''
  control.stderr?.resume()
  for await (const piece of control.stdout ?? []) {
    printed += piece
    const url = /listens on (http:\S+)\n/.exec(printed)?.[1]
    if (url !== undefined) return url
  }
  throw new Error(`landfall control did not start: ${printed}`)
}

async function push(url: string, token: string, body: string): Promise<PushAnswer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/yaml' }
  const outgoing = request(`${url}/v1/sets/bench`, { method: 'PUT', headers }).end(body)
  const [response] = await once(outgoing, 'response')
  return pushAnswer.parse(JSON.parse(await text(response)))
}

/** Resident, in MB. */
async function memoryOf(pid: number | undefined): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1000
  return { now: of('VmRSS'), peak: of('VmHWM') }
}
