// The changes of the soak: routes, endpoints, certificates and listeners, of a Gateway beside the one that is under load.
import { setTimeout as sleep } from 'node:timers/promises'
import { issue } from '../../test/certificates.ts'
import { gateway, http, https, route, secret, service, slice } from '../../test/serve-manifests.ts'
import { ports, type World } from '../../test/serve-world.ts'

const extra = { http: 8090, https: 8453, coming: 8091 } as const

/** Route files that are written again and again, and those that come and go. */
const standing = 200
const passing = 50

/** Writes what the changes begin with. */
export async function beginChanges({ site, http1 }: World): Promise<void> {
  await site.write('soak-certificate', [secret('soak', issue({ subject: 'soak' }))])
  await site.write('soak', [gatewayWith(site.address, false), ...service('soak', [http1.endpoint]).slice(0, 1)])
  await site.write('soak-endpoints', [slice('soak', [http1.endpoint])])
  for (let n = 0; n < standing; n++) await site.write(`soak-route-${n}`, [soakRoute(n, 0)])
}

/** Makes so many changes, evenly until `until`, in the time of performance.now(); resolves with how many it made. */
export async function change(world: World, count: number, until: number): Promise<number> {
  const begin = performance.now()
  const passed = new Set<number>()
  let made = 0
  for (; made < count && performance.now() < until; made++) {
    await sleep(Math.max(0, begin + ((until - begin) * made) / count - performance.now()))
    await changeOnce(world, made, passed)
  }
  return made
}

async function changeOnce({ site, http1 }: World, n: number, passed: Set<number>): Promise<void> {
  switch (n % 10) {
    case 6: {
      const name = Math.floor(n / 10) % passing
      if (passed.delete(name)) await site.remove(`soak-passing-${name}.json`)
      else {
        await site.write(`soak-passing-${name}`, [soakRoute(standing + name, n)])
        passed.add(name)
      }
      break
    }
    case 7: {
      // Nobody listens at the second.
      const endpoints = [http1.endpoint, { ...http1.endpoint, address: '127.0.0.2' }]
      await site.write('soak-endpoints', [slice('soak', endpoints.slice(0, 1 + (Math.floor(n / 10) % 2)))])
      break
    }
    case 8:
      await site.write('soak-certificate', [secret('soak', issue({ subject: `soak ${n}` }))])
      break
    case 9:
      await site.write('soak', [
        gatewayWith(site.address, Math.floor(n / 10) % 2 === 0),
        ...service('soak', [http1.endpoint]).slice(0, 1),
      ])
      break
    default:
      await site.write(`soak-route-${n % standing}`, [soakRoute(n % standing, n)])
  }
}

const gatewayWith = (address: string, isComing: boolean): object => ({
  ...gateway(address, [
    http(extra.http),
    https(extra.https, ['soak']),
    ...(isComing ? [http(extra.coming, 'coming')] : []),
  ]),
  metadata: { name: 'soak', namespace: 'test' },
})

/** `version` makes the route another: its header, and for some a regular expression that has never been there. */
const soakRoute = (n: number, version: number): object =>
  route('HTTPRoute', `soak-${n}`, {
    parent: n % 2 === 0 ? { name: 'soak' } : { name: 'web', port: ports.http },
    hostnames: [`soak-${n}.example.test`],
    rules: [
      {
        matches: [{ path: { type: 'RegularExpression', value: `/(a|b){1,9}/${n % 20 === 0 ? version : n}` } }],
        filters: [
          {
            type: 'ResponseHeaderModifier',
            responseHeaderModifier: { set: [{ name: 'x-version', value: `${version}` }] },
          },
        ],
        backendRefs: [{ name: 'soak', port: 80 }],
      },
      { backendRefs: [{ name: 'soak', port: 80 }] },
    ],
  })
