// How soon a changed route is in effect. Run: npm run bench -- route-change, or with another data plane:
// node_modules/.bin/node bench/route-change.ts COMMAND
// COMMAND serves the manifests in {dir} in the foreground, until SIGTERM.
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Row, report, tell } from './report.ts'
import { cores, Pinned, stepAside } from './standalone/process.ts'

const serve = `${join(import.meta.dirname, '../cli/landfall')} serve -f {dir} --no-admin`

const routes = 5_000
const changes = 500
/** Milliseconds between two changes, so that each finds the data plane at rest. */
const rest = 100
/** Milliseconds between the answer to one probe and the next. */
const pause = 1
/** Milliseconds that a data plane has to come up, and a change to be seen. */
const patience = { start: 120_000, change: 10_000 } as const
const address = '127.0.79.100'
const port = 18080

/** Redirects to a host named by `version`, so that the answer tells which version is served and no origin is needed. */
const route = (n: number, version: number): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: `route-${n}`, namespace: 'bench' },
  spec: {
    parentRefs: [{ name: 'web' }],
    hostnames: [hostname(n)],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: `/r${n}` } }],
        filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: target(version) } }],
      },
    ],
  },
})

const hostname = (n: number): string => `host-${Math.floor(n / 10)}.bench.example.com`
const target = (version: number): string => `version-${version}.bench.example.com`

const gateway = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'landfall' },
    spec: { controllerName: 'landfall.dev/gateway-controller' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'bench' },
    spec: {
      gatewayClassName: 'landfall',
      addresses: [{ type: 'IPAddress', value: address }],
      listeners: [{ name: 'http', protocol: 'HTTP', port }],
    },
  },
]

export async function routeChangeBench(commandLine = serve): Promise<readonly Row[]> {
  stepAside()
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const manifests = join(directory, 'manifests')
  await mkdir(manifests)
  const file = (n: number): string => join(manifests, `route-${n}.json`)
  await writeFile(join(manifests, 'gateway.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: gateway }))
  for (let n = 0; n < routes; n++) await writeFile(file(n), JSON.stringify(route(n, 0)))
  const command = ['sh', '-c', `exec ${commandLine.replaceAll('{dir}', manifests)}`]
  const dataPlane = new Pinned('data plane', cores.contender, command, { cwd: directory })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    await seen(dataPlane, agent, routes - 1, 0, patience.start)
    const delays: number[] = []
    for (let change = 1; change <= changes; change++) {
      await sleep(rest)
      const n = (change * 331) % routes
      // Written beside and moved, as careful tools do: a file that is read half-written is another matter.
      const draft = join(directory, 'draft.json')
      await writeFile(draft, JSON.stringify(route(n, change)))
      await rename(draft, file(n))
      const since = performance.now()
      await seen(dataPlane, agent, n, change, patience.change)
      delays.push(performance.now() - since)
    }
    return rowsOf(delays)
  } finally {
    agent.destroy()
    await dataPlane.stop()
    await rm(directory, { recursive: true })
  }
}

/** Resolves when the route answers with that version. */
async function seen(dataPlane: Pinned, agent: Agent, n: number, version: number, patience: number): Promise<void> {
  const deadline = performance.now() + patience
  for (;;) {
    if (dataPlane.ended) throw new Error(`the data plane has ended: ${dataPlane.lastWords}`)
    const location = await ask(agent, n).catch((error: unknown) => String(error))
    if (location.includes(`//${target(version)}`)) return
    if (performance.now() > deadline)
      throw new Error(`route ${n} did not come to version ${version} in ${patience} ms: ${location}`)
    await sleep(pause)
  }
}

/** The Location of an answer, or its status. */
async function ask(agent: Agent, n: number): Promise<string> {
  const outgoing = request({ agent, host: address, port, path: `/r${n}/items`, headers: { host: hostname(n) } }).end()
  const [response] = await once(outgoing, 'response')
  response.resume()
  await once(response, 'end')
  return response.headers.location ?? `status ${response.statusCode}`
}

function rowsOf(delays: readonly number[]): readonly Row[] {
  const sorted = delays.toSorted((a, b) => a - b)
  const at = (quantile: number): number => sorted[Math.ceil(sorted.length * quantile) - 1] ?? Number.NaN
  return [
    { name: 'p50', value: at(0.5), unit: 'ms' },
    { name: 'p99', value: at(0.99), unit: 'ms', bar: { atMost: 20 } },
    { name: 'slowest', value: at(1), unit: 'ms' },
    { name: 'the first after the start', value: delays[0] ?? Number.NaN, unit: 'ms' },
    { name: 'changes', value: sorted.length, unit: '' },
    { name: 'routes, a file each', value: routes, unit: '' },
  ]
}

export const routeChangeTitle = 'From the write of a route to the first request that meets it'

if (import.meta.main) tell(report(routeChangeTitle, await routeChangeBench(process.argv[2])))
