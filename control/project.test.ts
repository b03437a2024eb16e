import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Project } from './project.ts'

const gatewayClass = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: landfall.dev/gateway-controller}
`
const site = {
  controllers: ['landfall.dev/gateway-controller'],
  network: { usable: () => true, assigned: [] },
} as const

test('what only stands elsewhere now is not compiled again', async () => {
  const path = mkdtempSync(join(tmpdir(), 'project-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  const file = join(path, 'a.yaml')
  writeFileSync(file, gatewayClass)
  const project = new Project([path], site)
  const first = await project.read()
  expect(await project.read()).toBe(first)

  writeFileSync(file, `# moved\n${gatewayClass}`)
  const second = await project.read(new Set([file]))
  const [object] = second.snapshot.list('GatewayClass')
  if (object === undefined) throw new Error('no object')
  expect(second.compiled).toBe(first.compiled)
  expect([first, second].map(({ loaded }) => loaded.where(object).line)).toEqual([1, 2])

  writeFileSync(file, gatewayClass.replace('landfall.dev', 'other.example'))
  expect((await project.read(new Set([file]))).compiled.classes).toEqual([])
})
