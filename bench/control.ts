import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { DirectoryStore } from '../control/publish/directory.ts'
import { type PushAnswer, pushAnswer } from '../control/service/answers.ts'
import { bundleWorker } from '../dev/bundle.ts'
import { createKvServer } from '../dev/kv-server.ts'
import { Workerd } from '../dev/workerd.ts'
import { ControlProcess } from '../test/control-process.ts'
import { median, type Row } from './report.ts'

/** What a push of 100,000 routes costs, and then of one changed route among them: to landfall control, and until the Worker on workerd,
 *  which reads the store that it publishes into, answers by it. */

const routes = 100_000
const rounds = 9
/** Seconds between two looks of the Worker at its store: what lies between is waited for, on top of all else. */
const refresh = 0.25
/** Milliseconds between the answer to one probe and the next, and until a push has to be in effect. */
const pause = 20
const patience = 120_000
const host = '127.0.0.1'
const port = 19106

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: landfall}
spec: {controllerName: landfall.dev/edge-controller}
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
      hostnames: [hostname(n)],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: `/r${n}/v${version}` } }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'bench.example.com' } }],
        },
      ],
    },
  })

const hostname = (n: number): string => `host-${Math.floor(n / 10)}.example.com`

const manifests = (changed: number, version: number): string =>
  [gateway, ...Array.from({ length: routes }, (_, n) => `${route(n, n === changed ? version : 0)}\n`)].join('---\n')

export async function controlBench(): Promise<readonly Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const control = new ControlProcess(directory)
  const kv = createKvServer(new DirectoryStore(control.store))
  const workerd = new Workerd(directory, console.error)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    await control.start()
    kv.listen(join(directory, 'kv.sock'))
    await once(kv, 'listening')
    await writeFile(join(directory, 'worker.js'), await bundleWorker())
    await workerd.serve({
      sockets: [{ name: 'http', address: `${host}:${port}`, props: { gateways: ['bench/web'], port: 80 } }],
      storeAddress: `unix:${join(directory, 'kv.sock')}`,
      connectorAddress: '127.0.0.1:19107',
      variables: { REFRESH_SECONDS: String(refresh) },
    })
    const body = manifests(-1, 0)
    const first = await inEffect(control, agent, body, 0, 0)
    const changes: Effect[] = []
    for (let round = 1; round <= rounds; round++) {
      const n = (round * 331) % routes
      const change = await inEffect(control, agent, manifests(n, round), n, round)
      if (change.answer.version !== round + 1)
        throw new Error(`version ${change.answer.version} after ${round} changes`)
      changes.push(change)
    }
    const [service, worker] = await Promise.all([memoryOf(control.pid), memoryOf(workerd.pid)])
    const bar = { atMost: 1000 }
    return [
      { name: `${routes} routes, pushed`, value: body.length / 1e6, unit: 'MB' },
      { name: 'the first push', value: first.pushed, unit: 'ms' },
      { name: 'the first push: in effect at the Worker', value: first.seen, unit: 'ms' },
      { name: 'the first push: entries written', value: first.answer.written.entries, unit: '' },
      { name: 'one changed route: pushed', value: median(changes.map(({ pushed }) => pushed)), unit: 'ms', bar },
      {
        ...{ name: 'one changed route: in effect at the Worker', unit: 'ms', bar },
        value: median(changes.map(({ seen }) => seen)),
      },
      {
        name: 'one changed route: in effect at the Worker, the slowest',
        value: Math.max(...changes.map(({ seen }) => seen)),
        unit: 'ms',
      },
      {
        ...{ name: 'one changed route: entries written, at most', unit: '', bar: { atMost: 3 } },
        value: Math.max(...changes.map(({ answer }) => answer.written.entries)),
      },
      { name: 'time between two looks of the Worker at its store', value: refresh * 1000, unit: 'ms' },
      { name: 'memory of the service afterwards', value: service.now, unit: 'MB' },
      { name: 'memory of the service at its highest', value: service.peak, unit: 'MB' },
      { name: 'memory of workerd at its highest', value: worker.peak, unit: 'MB' },
      { name: 'database', value: (await stat(join(control.data, 'control.db'))).size / 1e6, unit: 'MB' },
    ]
  } finally {
    agent.destroy()
    await workerd.close()
    kv.closeAllConnections()
    kv.close()
    await control.end('SIGTERM')
    await rm(directory, { recursive: true })
  }
}

/** A push and what came of it, in milliseconds since it was sent. */
interface Effect {
  readonly answer: PushAnswer
  /** Until it was answered. */
  readonly pushed: number
  /** Until a request to the Worker met the new table. */
  readonly seen: number
}

/** Pushes manifests in which a route is at a version, while the Worker is asked for that route again and again. */
async function inEffect(
  control: ControlProcess,
  agent: Agent,
  body: string,
  n: number,
  version: number,
): Promise<Effect> {
  const since = performance.now()
  const [{ answer, pushed }, seen] = await Promise.all([
    push(control, body).then((answer) => ({ answer, pushed: performance.now() - since })),
    served(agent, n, version).then(() => performance.now() - since),
  ])
  return { answer, pushed, seen }
}

/** Resolves when the Worker redirects requests for the route at that version. */
async function served(agent: Agent, n: number, version: number): Promise<void> {
  const deadline = performance.now() + patience
  while ((await statusOf(agent, n, version)) !== 302) {
    if (performance.now() > deadline) throw new Error(`route ${n} did not come to version ${version}`)
    await sleep(pause)
  }
}

async function statusOf(agent: Agent, n: number, version: number): Promise<number> {
  const asked = request({ agent, host, port, path: `/r${n}/v${version}`, headers: { host: hostname(n) } }).end()
  const [response] = await once(asked, 'response')
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

async function push({ url, token }: ControlProcess, body: string): Promise<PushAnswer> {
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
