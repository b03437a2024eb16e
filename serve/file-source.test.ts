import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Root } from '../proto/gen/route_table.ts'
import { fileSource } from './file-source.ts'
import { thisMachine } from './site.ts'
import type { Supply } from './source.ts'

const gateway = (port: number): string => `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: landfall.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: edge, listeners: [{name: http, port: ${port}, protocol: HTTP}]}
`

const ports = ({ feed }: Supply): number[] =>
  feed.roots.flatMap((root) => Root.decode(root).listeners.map(({ port }) => port))

test('manifests are given as tables, at first and whenever they say something else', async () => {
  const path = mkdtempSync(join(tmpdir(), 'source-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  const file = join(path, 'a.yaml')
  writeFileSync(file, gateway(80))
  const supplies: number[][] = []
  const source = fileSource([path], thisMachine(), (error) => expect.unreachable(String(error)))
  await source.follow(async (supply) => void supplies.push(ports(supply)))
  onTestFinished(() => source.close())
  expect(supplies).toEqual([[80]])

  writeFileSync(file, gateway(8080))
  await vi.waitFor(() => expect(supplies).toEqual([[80], [8080]]), { timeout: 10_000, interval: 5 })
})
