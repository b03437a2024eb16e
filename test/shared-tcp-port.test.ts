import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataPlaneRig } from './data-plane-rig.ts'
import { type Origin, startOrigin } from './origins.ts'
import { RawConnection } from './raw-connection.ts'
import { gateway, gatewayClass, route, service } from './serve-manifests.ts'

const port = 5432

let rig: DataPlaneRig
let origins: readonly Origin[]

/** Says who it is. */
const telling = (name: string) => startOrigin(async (connection) => void connection.write(`${name}\n`))

beforeEach(async () => {
  rig = await DataPlaneRig.create()
  origins = await Promise.all(['first', 'second'].map(telling))
})
afterEach(async () => {
  await rig.close()
  for (const origin of origins) await origin.close()
})

/** A Gateway that passes all that comes to the port on to the origin of the same name. */
const passing = (name: string, origin: Origin | undefined): readonly object[] => [
  {
    ...gateway(rig.address, [{ name: `tcp-${name}`, protocol: 'TCP', port }]),
    metadata: { name, namespace: 'test' },
  },
  ...service(name, origin === undefined ? [] : [origin.endpoint]),
  route('TCPRoute', name, { parent: { name } }),
]

async function heard(): Promise<string> {
  const connection = await RawConnection.open(port, rig.address)
  const line = await connection.until('\n')
  connection.socket.destroy()
  return line
}

test('of two Gateways with one port of TCP the first by name is served, the other is told of, and takes over when it is gone', async () => {
  const [first, second] = [passing('first', origins[0]), passing('second', origins[1])]
  expect(await rig.serve([gatewayClass, ...second, ...first])).toEqual([
    `Gateway test/second: listener tcp-second is not served at ${rig.address} port 5432, which is for tcp and listener tcp-first of Gateway test/first, the first by name`,
  ])
  for (let count = 0; count < 5; count++) expect(await heard()).toBe('first\n')
  expect(await rig.serve([gatewayClass, ...second])).toEqual([])
  expect(await heard()).toBe('second\n')
})
