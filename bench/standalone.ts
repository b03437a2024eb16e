// The stand-alone data plane beside nginx, haproxy and caddy. Run: npm run bench -- standalone, or a part of it:
// node_modules/.bin/node bench/standalone.ts [--data-plane COMMAND] [--routes 1,1000,10000] [--starts N] [--rounds N] [SCENARIO…]
// COMMAND serves the manifests in {dir} in the foreground, until SIGTERM.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { version } from '../engine/version.ts'
import { tell } from './report.ts'
import { caddy } from './standalone/caddy.ts'
import { makeCertificate } from './standalone/certificate.ts'
import { type Contender, versionOf } from './standalone/contender.ts'
import { type Cell, Figures } from './standalone/figures.ts'
import { haproxy } from './standalone/haproxy.ts'
import { Instance } from './standalone/instance.ts'
import { landfall } from './standalone/landfall.ts'
import type { Load } from './standalone/load.ts'
import { nginx } from './standalone/nginx.ts'
import { startOrigin } from './standalone/origin.ts'
import { stepAside } from './standalone/process.ts'
import { benchRoutes } from './standalone/routes.ts'
import { type Scenario, scenarios } from './standalone/scenarios.ts'
import type { Certificate } from './standalone/site.ts'
import { type Outcome, standaloneReport } from './standalone/table.ts'

export interface StandaloneOptions {
  readonly dataPlane: string
  /** HTTPRoutes of the tables. */
  readonly counts: readonly number[]
  readonly starts: number
  readonly rounds: number
  readonly scenarios: readonly Scenario[]
}

const whole: StandaloneOptions = {
  dataPlane: `${join(import.meta.dirname, '../cli/landfall')} serve -f {dir} --no-admin`,
  counts: [1, 1_000, 10_000],
  starts: 3,
  rounds: 3,
  scenarios,
}

export async function standaloneBench(options: StandaloneOptions = whole): Promise<Outcome> {
  const tools = toolVersions()
  const peers = [
    { contender: nginx, version: versionOf('nginx', '-v') },
    { contender: haproxy, version: versionOf('haproxy', '-v') },
    { contender: caddy, version: versionOf('caddy', 'version') },
  ]
  const all = [{ contender: landfall(options.dataPlane), version }, ...peers]
  for (const { contender, version } of all)
    if (version === undefined) process.stderr.write(`${contender.name} is missing; going on without it\n`)
  const figures = new Figures()
  for (const { contender, version } of all) {
    for (const { name } of options.scenarios)
      for (const count of options.counts)
        figures.cell(name, contender.name, count).fault =
          version === undefined ? `${contender.name} is missing` : contender.cannot(name)
  }
  stepAside()
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  // nginx as root gives its worker to another user, who has to read the bodies.
  await chmod(directory, 0o755)
  const certificate = await makeCertificate(directory)
  const origins = await startOrigin(directory)
  const present = all.flatMap(({ contender, version }) => (version === undefined ? [] : [contender]))
  try {
    for (let start = 0; start < options.starts; start++) {
      process.stderr.write(`start ${start + 1} of ${options.starts} …\n`)
      await oneStart(present, options, join(directory, `start-${start}`), certificate, figures)
    }
  } finally {
    for (const each of origins) await each.stop()
    await rm(directory, { recursive: true })
  }
  return {
    ...options,
    figures,
    tools,
    contenders: all.map(({ contender, version }) => ({ name: contender.name, version })),
  }
}

async function oneStart(
  contenders: readonly Contender[],
  { counts, scenarios, rounds }: StandaloneOptions,
  directory: string,
  certificate: Certificate,
  figures: Figures,
): Promise<void> {
  const instances: Instance[] = []
  try {
    for (const count of counts) {
      for (const contender of contenders) {
        const address = `127.0.79.${instances.length + 1}`
        const own = join(directory, `${contender.name}-${count}`)
        const site = { address, routes: benchRoutes(count), directory: own, certificate }
        instances.push(await Instance.start(contender, site))
      }
    }
    for (const scenario of scenarios) {
      process.stderr.write(`  ${scenario.name} …\n`)
      await measure(instances, scenario, rounds, figures)
    }
  } finally {
    await Promise.all(instances.map((instance) => instance.stop()))
  }
}

/** Rounds of one scenario, in which the contenders take turns. What goes wrong with one of them ends its part only. */
async function measure(
  instances: readonly Instance[],
  scenario: Scenario,
  rounds: number,
  figures: Figures,
): Promise<void> {
  const loads = new Map<Instance, Load>()
  for (const instance of instances)
    await guarded(instance, async () => void loads.set(instance, await instance.ready(scenario)))
  for (let round = 0; round < rounds; round++)
    for (const [instance, load] of round % 2 === 0 ? loads : [...loads].toReversed())
      await guarded(instance, (cell) => instance.round(load, cell))

  async function guarded({ contender, site }: Instance, step: (cell: Cell) => Promise<void>): Promise<void> {
    const cell = figures.cell(scenario.name, contender, site.routes.length)
    if (cell.fault !== undefined) return
    try {
      await step(cell)
    } catch (error) {
      cell.fault = `failed: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** Of what the bench cannot do without. */
function toolVersions(): string {
  const tools = [
    { name: 'wrk', package: 'wrk', version: versionOf('wrk', '-v') },
    { name: 'h2load', package: 'nghttp2-client', version: versionOf('h2load', '--version') },
    { name: 'openssl', package: 'openssl', version: versionOf('openssl', 'version') },
    { name: 'nginx', package: 'nginx', version: versionOf('nginx', '-v') },
  ]
  const missing = tools.filter(({ version }) => version === undefined)
  if (missing.length > 0) throw new Error(`missing: apt install ${missing.map((tool) => tool.package).join(' ')}`)
  const [wrk, h2load, openssl, nginx] = tools
  return `load by wrk ${wrk?.version}, h2load ${h2load?.version} and openssl ${openssl?.version}; origin nginx ${nginx?.version}`
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'data-plane': { type: 'string', default: whole.dataPlane },
      routes: { type: 'string', default: whole.counts.join(',') },
      starts: { type: 'string', default: String(whole.starts) },
      rounds: { type: 'string', default: String(whole.rounds) },
    },
  })
  const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.some((each) => each === name))
  if (chosen.length === 0) throw new Error(`the scenarios are ${scenarios.map(({ name }) => name).join(', ')}`)
  const outcome = await standaloneBench({
    dataPlane: values['data-plane'],
    counts: values.routes.split(',').map(Number),
    starts: Number(values.starts),
    rounds: Number(values.rounds),
    scenarios: chosen,
  })
  tell(standaloneReport(outcome))
}
