import { expect, test } from 'vitest'
import { compiled } from './compiled-fixture.ts'
import { Coverage } from './coverage.ts'
import { type CoverageReport, coverageReport } from './coverage-report.ts'
import { Gateways } from './gateways.ts'
import { gatewayClass, service } from './manifest-fixture.ts'
import { runTests } from './run.ts'
import { readTests } from './test-reader.ts'

const manifests = `${gatewayClass}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: landfall
  listeners: [{name: http, protocol: HTTP, port: 80}, {name: db, protocol: TCP, port: 5432}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: web}]
  hostnames: [a.example.com, b.example.com]
  rules:
    - name: api
      matches:
        - path: {value: /api}
        - path: {value: /v2}
          headers: [{name: x-a, value: "1"}]
      filters:
        - {type: ResponseHeaderModifier, responseHeaderModifier: {remove: [server]}}
        - {type: CORS, cors: {allowOrigins: ["*"]}}
      backendRefs:
        - name: web
          port: 80
          filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-a, value: b}]}}]
    - matches:
        - path: {value: /old}
      filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301, hostname: b.example.com}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: db}
spec:
  parentRefs: [{name: web, sectionName: db}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
---
${service('web')}`

const { loaded, tables } = compiled(manifests)

function reportOf(...tests: readonly string[]): CoverageReport {
  const text = `tests:\n${tests.map((fields) => `- {name: t, expect: {reachable: true}, ${fields}}\n`).join('')}`
  const read = readTests('t.yaml', text)
  const coverage = new Coverage(tables)
  const results = runTests(read.tests, Gateways.of(tables), () => 0, coverage)
  expect([loaded.problems, read.problems, results.flatMap(({ failures }) => failures)]).toEqual([[], [], []])
  return coverageReport(coverage, loaded, 100)
}

test('only so many are named, the first ones', () => {
  const coverage = new Coverage(tables)
  const report = coverageReport(coverage, loaded, 2)
  expect([lines(report), report.more]).toEqual([['m.yaml:20 rule', 'm.yaml:32 rule'], 1])
})

const lines = ({ unreached }: CoverageReport): string[] =>
  unreached.map(({ file, line, kind, words }) => `${file}:${line} ${kind} ${words}`.trimEnd())

test('a route under two hostnames counts once, and a connection has no matches', () => {
  const report = reportOf('tcp: 5432')
  expect([report.rules, report.matches, report.filters]).toEqual([
    { reached: 1, total: 3 },
    { reached: 0, total: 3 },
    { reached: 0, total: 4 },
  ])
  expect(report.percent).toBeCloseTo(10)
})

test('of a rule that no test reaches, its parts are not told', () => {
  expect(lines(reportOf('tcp: 5432'))).toEqual(['m.yaml:20 rule', 'm.yaml:32 rule'])
})

test('a match, and a filter that had nothing to do, are not reached by what reaches their rule', () => {
  expect(
    lines(reportOf('tcp: 5432', 'request: http://a.example.com/api', 'request: http://a.example.com/old')),
  ).toEqual(["m.yaml:23 match path: the prefix '/v2', header x-a: '1'", 'm.yaml:25 filter CORS: origins *'])
})

test('all is reached from either hostname', () => {
  const report = reportOf(
    'tcp: 5432',
    'request: http://a.example.com/api, headers: {origin: "https://a"}',
    'request: http://b.example.com/v2, headers: {x-a: "1"}',
    'request: http://b.example.com/old',
  )
  expect([report.percent, report.unreached]).toEqual([100, []])
})

test('tables without routes are covered', () => {
  expect(coverageReport(new Coverage([]), loaded, 100).percent).toBe(100)
})
