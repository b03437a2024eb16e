import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { Origin } from '../../proto/gen/route_table.ts'
import { Snapshot } from '../snapshot.ts'
import { statuses } from '../status/statuses.ts'
import type { StatusAddress } from './addresses.ts'
import { compile } from './compile.ts'
import { compiled, configMap, gateway, gatewayClass, site } from './object-fixture.ts'

const accepted = (object: KubeObject, ...others: readonly KubeObject[]): string => {
  const found = statuses(compiled(object, ...others), '').find((each) => each.object === object)
  const condition = found?.status.conditions?.find(({ type }) => type === 'Accepted')
  return condition === undefined ? 'nothing' : `${condition.status}/${condition.reason}`
}

const reference = { group: '', kind: 'ConfigMap', name: 'params', namespace: 'default' }
const params = (data: object) => configMap({ metadata: { name: 'params' }, data })
const wrong = 'False/InvalidParameters'

test.for<[string, object | undefined, KubeObject[], string]>([
  ['without parameters', undefined, [], 'True/Accepted'],
  [
    'with good parameters',
    reference,
    [params({ origin: 'url', hideReason: 'true', trustedHops: '2' })],
    'True/Accepted',
  ],
  ['not with a ConfigMap that does not exist', reference, [], wrong],
  ['not with another kind', { ...reference, kind: 'Secret' }, [params({})], wrong],
  ['not with another group', { ...reference, group: 'example.com' }, [params({})], wrong],
  ['not without a namespace', { group: '', kind: 'ConfigMap', name: 'params' }, [params({})], wrong],
  ['not with an unknown parameter', reference, [params({ trustedHop: '1' })], wrong],
  ['not with an unknown origin', reference, [params({ origin: 'constructor' })], wrong],
  ['not with a hideReason that is no boolean', reference, [params({ hideReason: 'yes' })], wrong],
  ['not with a trustedHops that is no number', reference, [params({ trustedHops: '1.5' })], wrong],
  ['not with more trustedHops than anyone has', reference, [params({ trustedHops: '17' })], wrong],
])('a GatewayClass is accepted, %s', ([, parametersRef, objects, expected]) => {
  expect(accepted(gatewayClass({ spec: { ...(parametersRef && { parametersRef }) } }), ...objects)).toBe(expected)
})

test('a GatewayClass of another controller is left alone', () => {
  expect(accepted(gatewayClass({ spec: { controllerName: 'example.com/other' } }))).toBe('nothing')
})

test('a controller name of ours that is misspelt is told', () => {
  const { findings } = compiled(gatewayClass({ spec: { controllerName: 'landfall.dev/gateway' } }))
  expect(findings.map(({ severity, path }) => [severity, ...path])).toEqual([['warning', 'spec', 'controllerName']])
})

test('a Gateway of a class that is not accepted is not accepted', () => {
  expect(accepted(gateway(), gatewayClass({ spec: { parametersRef: reference } }))).toBe(wrong)
})

test('the parameters of a Gateway go before those of its class', () => {
  const ofClass = params({ origin: 'url', trustedHops: '2' })
  const own = configMap({ metadata: { name: 'own' }, data: { origin: 'connector', hideReason: 'true' } })
  const infrastructure = { parametersRef: { group: '', kind: 'ConfigMap', name: 'own' } }
  const { gateways } = compiled(
    gatewayClass({ spec: { controllerName: 'landfall.dev/edge-controller', parametersRef: reference } }),
    gateway({ spec: { infrastructure } }),
    ofClass,
    own,
  )
  expect(gateways[0]?.state).toMatchObject({
    origin: Origin.CONNECTOR,
    settings: { hideReason: true, trustedHops: 2 },
  })
})

const addresses = (asked: readonly object[] | undefined, assigned = site.network.assigned) => {
  const snapshot = Snapshot.of([gatewayClass(), gateway({ spec: { ...(asked && { addresses: asked }) } })])
  const { status } = statuses(compile(snapshot, { ...site, network: { ...site.network, assigned } }), '')[1] ?? {}
  const verdicts = status?.conditions?.filter(({ type }) => type === 'Accepted' || type === 'Programmed')
  return [
    status?.addresses?.map(({ value }) => value),
    ...(verdicts ?? []).map(({ status, reason }) => `${status}/${reason}`),
  ]
}
const two: readonly StatusAddress[] = [
  { type: 'IPAddress', value: '127.0.0.1' },
  { type: 'IPAddress', value: '127.0.0.2' },
]

test.for<[string, object[] | undefined, readonly StatusAddress[], string[], string, string]>([
  [
    'no address asked for: all that can be assigned',
    undefined,
    two,
    ['127.0.0.1', '127.0.0.2'],
    'True/Accepted',
    'True/Programmed',
  ],
  ['no address asked for and none to assign', undefined, [], [], 'True/Accepted', 'False/AddressNotAssigned'],
  [
    'a type without a value: one is assigned',
    [{ type: 'IPAddress' }],
    two,
    ['127.0.0.1'],
    'True/Accepted',
    'True/Programmed',
  ],
  [
    'two types without a value: two are assigned',
    [{ type: 'IPAddress' }, { type: 'IPAddress' }],
    two,
    ['127.0.0.1', '127.0.0.2'],
    'True/Accepted',
    'True/Programmed',
  ],
  ['a type that there is nothing of', [{ type: 'Hostname' }], two, [], 'True/Accepted', 'False/AddressNotAssigned'],
  ['a usable address', [{ value: '127.0.0.9' }], [], ['127.0.0.9'], 'True/Accepted', 'True/Programmed'],
  [
    'an address that is not usable, beside one that is',
    [{ value: '192.0.2.1' }, { value: '127.0.0.9' }],
    [],
    ['127.0.0.9'],
    'True/Accepted',
    'False/AddressNotUsable',
  ],
  [
    'a type that is not supported',
    [{ type: 'example.com/own', value: 'x' }, { value: '127.0.0.9' }],
    [],
    ['127.0.0.9'],
    'False/UnsupportedAddress',
    'False/Invalid',
  ],
])('%s', ([, asked, assigned, found, accepted, programmed]) => {
  expect(addresses(asked, assigned)).toEqual([found, accepted, programmed])
})

test.for<[string, readonly object[] | undefined, readonly string[]]>([
  ['none where it asks for none', undefined, []],
  ['none where any of a type will do', [{ type: 'IPAddress' }], []],
  [
    'those that are usable',
    [{ value: '127.0.0.9' }, { value: '192.0.2.1' }, { value: '127.0.0.8' }],
    ['127.0.0.9', '127.0.0.8'],
  ],
  ['those that are not, rather than to be served elsewhere', [{ value: '192.0.2.1' }], ['192.0.2.1']],
  ['none that it asks for by name', [{ type: 'Hostname', value: 'gw.example.com' }], []],
])('of the addresses of a Gateway the table has %s', ([, asked, expected]) => {
  const { tables } = compiled(gatewayClass(), gateway({ spec: { ...(asked && { addresses: asked }) } }))
  expect(tables.map(({ addresses }) => addresses)).toEqual([expected])
})
