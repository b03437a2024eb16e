// npm run bench -- [NAME…]: runs the benches named below, or all but the soak, prints their tables and keeps them in bench/results/; ends with 1 if a figure misses what it is held to.
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import process from 'node:process'
import { bgpBench } from './bgp.ts'
import { coldBench } from './cold.ts'
import { compileBench } from './compile.ts'
import { controlBench } from './control.ts'
import { engineReport } from './engine/table.ts'
import { engineBench } from './engine.ts'
import { l2Bench } from './l2.ts'
import { poolsBench } from './pools.ts'
import { type Report, report, tell } from './report.ts'
import { routeChangeBench, routeChangeTitle } from './route-change.ts'
import { soakBench } from './soak.ts'
import { standaloneReport } from './standalone/table.ts'
import { standaloneBench } from './standalone.ts'
import { workerBench } from './worker.ts'

const benches: Readonly<Record<string, () => Promise<Report>>> = {
  engine: async () => engineReport(await engineBench()),
  worker: async () => report('The Worker on plain workerd, 10,000 routes', await workerBench()),
  compile: async () => report('Compile of 10,000 HTTPRoutes', await compileBench()),
  pools: async () => report('Addresses for 10,000 Services over 3 pools', await poolsBench()),
  control: async () =>
    report('A push of 100,000 routes to landfall control, and the Worker that serves them', await controlBench()),
  cold: async () => report('A cold Worker before 100,000 routes', await coldBench()),
  // These move the bench itself to one core, so they come last.
  standalone: async () => standaloneReport(await standaloneBench()),
  'route-change': async () => report(routeChangeTitle, await routeChangeBench()),
  bgp: async () => report('The BGP agent beside GoBGP and BIRD, to a BIRD', await bgpBench()),
  l2: async () => report('Answers to ARP requests, by a client on one network', await l2Bench()),
  soak: soakBench,
}

/** Too long to be run with all others. */
const onlyByName = ['soak']

const named = process.argv.slice(2)
await mkdir('bench/results', { recursive: true })
for (const [name, bench] of Object.entries(benches)) {
  if (named.length > 0 ? !named.includes(name) : onlyByName.includes(name)) continue
  process.stderr.write(`bench ${name} …\n`)
  const outcome = await bench()
  const machine = `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`
  tell(outcome)
  await writeFile(`bench/results/${name}.md`, `${outcome.table}\n${machine}\n`)
}
