import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { site } from '../control/compile/object-fixture.ts'
import { Project } from '../control/project.ts'
import { Coverage } from '../control/route-tests/coverage.ts'
import { coverageReport } from '../control/route-tests/coverage-report.ts'
import { Gateways } from '../control/route-tests/gateways.ts'
import { runTests } from '../control/route-tests/run.ts'
import { readTests } from '../control/route-tests/test-reader.ts'

const routes = 10_000
const services = 100

function* manyManifests(): Generator<string> {
  yield `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: landfall}
spec: {controllerName: landfall.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: landfall
  listeners: [{name: http, protocol: HTTP, port: 80}]
`
  for (let i = 0; i < services; i++) {
    yield `apiVersion: v1
kind: Service
metadata: {name: web-${i}}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-${i}-1, labels: {kubernetes.io/service-name: web-${i}}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [10.0.0.1]}]
`
  }
  for (let i = 0; i < routes; i++) {
    yield `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route-${i}}
spec:
  parentRefs: [{name: web}]
  hostnames: [host-${i % 1000}.example.com]
  rules:
    - matches: [{path: {value: /${i}}}]
      backendRefs: [{name: web-${i % services}, port: 80, weight: 9}, {name: web-${(i + 1) % services}, port: 80, weight: ${i % 2}}]
`
  }
}

function* manyTests(): Generator<string> {
  yield 'tests:\n'
  for (let i = 0; i < 1000; i++) {
    const route = (i * 7919) % routes
    const [first, second] = [route % services, (route + 1) % services]
    const expected = route % 2 === 0 ? `backend: web-${first}` : `distribution: {web-${first}: 90, web-${second}: 10}`
    yield `  - {name: route ${route}, request: "http://host-${route % 1000}.example.com/${route}/x", expect: {route: route-${route}, ${expected}}}\n`
  }
}

/** Seconds of processor time, of which other processes take nothing. */
const seconds = (since?: NodeJS.CpuUsage): number => process.cpuUsage(since).user / 1e6

test('ten thousand routes and a thousand tests, half of them drawn, take seconds', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-route-tests-'))
  try {
    const manifests = join(directory, 'many.yaml')
    await writeFile(manifests, [...manyManifests()].join('---\n'))
    const start = process.cpuUsage()
    const { loaded, compiled } = await new Project([manifests], site).read()
    const compiledIn = seconds(start)
    const { tests, problems } = readTests('tests.yaml', [...manyTests()].join(''))
    const coverage = new Coverage(compiled.tables)
    const results = runTests(tests, Gateways.of(compiled.tables), Date.now, coverage)
    const report = coverageReport(coverage, loaded, 100)
    const all = seconds(start)
    process.stdout.write(`compiled in ${compiledIn.toFixed(1)} s, tested in ${(all - compiledIn).toFixed(1)} s\n`)
    expect(problems).toEqual([])
    expect(results.filter(({ failures }) => failures.length === 0)).toHaveLength(1000)
    expect([report.rules, report.unreached.length, report.more]).toEqual([{ reached: 1000, total: 10_000 }, 100, 8900])
    expect(all).toBeLessThan(20)
  } finally {
    await rm(directory, { recursive: true })
  }
}, 120_000)
