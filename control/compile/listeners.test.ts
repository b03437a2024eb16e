import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { statuses } from '../status/statuses.ts'
import { certificate, otherPrivateKey } from './certificate-fixture.ts'
import {
  authority,
  compiled,
  configMap,
  gateway,
  gatewayClass,
  listenerSet,
  namespace,
  referenceGrant,
  secret,
} from './object-fixture.ts'

/** Conditions of a listener as "Type=Status/Reason"; those that say nothing is wrong are left out. */
function listener(name: string, owner: KubeObject, ...objects: readonly KubeObject[]): readonly string[] {
  const all = statuses(compiled(gatewayClass(), owner, ...objects), '')
  const found = all.find(({ object }) => object === owner)?.status.listeners?.find((listener) => listener.name === name)
  const words = found?.conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`) ?? [
    'no such listener',
  ]
  const fine = [
    'Accepted=True/Accepted',
    'Conflicted=False/NoConflicts',
    'Programmed=True/Programmed',
    'ResolvedRefs=True/ResolvedRefs',
  ]
  return words.filter((word) => !fine.includes(word))
}

const https = (certificateRefs: readonly object[], more: object = {}, metadata: object = {}) =>
  gateway({
    metadata,
    spec: { listeners: [{ name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs } }], ...more },
  })

const notPermitted = ['Programmed=False/Invalid', 'ResolvedRefs=False/RefNotPermitted']
const invalid = ['Programmed=False/Invalid', 'ResolvedRefs=False/InvalidCertificateRef']
const foreign = secret({ metadata: { namespace: 'other' } })
const grant = (kind: string) =>
  referenceGrant({
    metadata: { namespace: 'other' },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind, namespace: 'default' }],
      to: [{ group: '', kind: 'Secret' }],
    },
  })

test.for<[string, object[], KubeObject[], string[]]>([
  ['a certificate with its key is good', [{ name: 'cert' }], [secret()], []],
  ['a Secret that does not exist is invalid', [{ name: 'nowhere' }], [], invalid],
  ['another kind is invalid', [{ kind: 'ConfigMap', name: 'ca' }], [authority()], invalid],
  ['another group is invalid', [{ group: 'example.com', name: 'cert' }], [secret()], invalid],
  ['a Secret of another type is invalid', [{ name: 'cert' }], [secret({ type: 'Opaque' })], invalid],
  [
    'a certificate that is none is invalid',
    [{ name: 'cert' }],
    [secret({ stringData: { 'tls.crt': 'x', 'tls.key': 'y' } })],
    invalid,
  ],
  [
    'a key of another certificate is invalid',
    [{ name: 'cert' }],
    [secret({ stringData: { 'tls.crt': certificate, 'tls.key': otherPrivateKey } })],
    invalid,
  ],
  ['a Secret of another namespace needs a grant', [{ name: 'cert', namespace: 'other' }], [foreign], notPermitted],
  ['a grant for Gateways permits it', [{ name: 'cert', namespace: 'other' }], [foreign, grant('Gateway')], []],
  [
    'a grant for ListenerSets does not',
    [{ name: 'cert', namespace: 'other' }],
    [foreign, grant('ListenerSet')],
    notPermitted,
  ],
  ['what a grant permits may still be missing', [{ name: 'cert', namespace: 'other' }], [grant('Gateway')], invalid],
  [
    'one good certificate is enough to serve, though the other is told',
    [{ name: 'cert' }, { name: 'nowhere' }],
    [secret()],
    ['ResolvedRefs=False/InvalidCertificateRef'],
  ],
])('%s', ([, references, objects, expected]) => {
  expect(listener('https', https(references), ...objects)).toEqual(expected)
})

test('a ListenerSet has grants of its own', () => {
  const parent = gateway({ spec: { allowedListeners: { namespaces: { from: 'All' } } } })
  const tls = { certificateRefs: [{ name: 'cert', namespace: 'other' }] }
  const set = listenerSet({ spec: { listeners: [{ name: 'https', port: 443, protocol: 'HTTPS', tls }] } })
  expect(listener('https', set, parent, foreign, grant('Gateway'))).toEqual(notPermitted)
  expect(listener('https', set, parent, foreign, grant('ListenerSet'))).toEqual([])
})

const clients = (ofDefault: object | undefined, perPort: object[] = []) =>
  gateway({
    spec: {
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP' },
        { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } },
        { name: 'other', port: 8443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } },
      ],
      tls: { frontend: { default: ofDefault === undefined ? {} : { validation: ofDefault }, perPort } },
    },
  })
const ca = (name: string, more: object = {}) => ({ group: '', kind: 'ConfigMap', name, ...more })
const noCA = (reason: string) => [
  'Accepted=False/NoValidCACertificate',
  'Programmed=False/Invalid',
  `ResolvedRefs=False/${reason}`,
]

test.for<[string, object, string[]]>([
  ['a CA certificate is good', { caCertificateRefs: [ca('ca')] }, []],
  [
    'a ConfigMap that does not exist is invalid',
    { caCertificateRefs: [ca('nowhere')] },
    noCA('InvalidCACertificateRef'),
  ],
  ['a ConfigMap without ca.crt is invalid', { caCertificateRefs: [ca('empty')] }, noCA('InvalidCACertificateRef')],
  [
    'a ca.crt that is no certificate is invalid',
    { caCertificateRefs: [ca('malformed')] },
    noCA('InvalidCACertificateRef'),
  ],
  [
    'another kind is an invalid kind',
    { caCertificateRefs: [ca('cert', { kind: 'Secret' })] },
    noCA('InvalidCACertificateKind'),
  ],
  [
    'another namespace needs a grant',
    { caCertificateRefs: [ca('ca', { namespace: 'other' })] },
    noCA('RefNotPermitted'),
  ],
  [
    'one good CA is enough',
    { caCertificateRefs: [ca('ca'), ca('nowhere')] },
    ['ResolvedRefs=False/InvalidCACertificateRef'],
  ],
])('of client validation: %s', ([, validation, expected]) => {
  const maps = [
    authority(),
    configMap({ metadata: { name: 'empty' } }),
    configMap({
      metadata: { name: 'malformed' },
      data: { 'ca.crt': '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----' },
    }),
  ]
  const owner = clients(validation)
  expect(listener('https', owner, secret(), ...maps)).toEqual(expected)
  expect(listener('http', owner, secret(), ...maps)).toEqual([])
})

test('perPort replaces the default for its port', () => {
  const wrong = { caCertificateRefs: [ca('nowhere')] }
  const good = { caCertificateRefs: [ca('ca')] }
  const owner = clients(wrong, [{ port: 8443, tls: { validation: good } }])
  expect(listener('https', owner, secret(), authority())).toEqual(noCA('InvalidCACertificateRef'))
  expect(listener('other', owner, secret(), authority())).toEqual([])
  const off = clients(wrong, [{ port: 8443, tls: {} }])
  expect(listener('other', off, secret(), authority())).toEqual([])
})

/** Conditions of a Gateway, likewise. */
function conditions(owner: KubeObject, ...objects: readonly KubeObject[]): readonly string[] {
  const all = statuses(compiled(gatewayClass(), owner, ...objects), '')
  const found = all.find(({ object }) => object === owner)?.status.conditions ?? []
  return found.map(({ type, status, reason }) => `${type}=${status}/${reason}`)
}

test('AllowInsecureFallback is shown on the Gateway, by default and per port', () => {
  const insecure = { caCertificateRefs: [ca('ca')], mode: 'AllowInsecureFallback' }
  const shown = 'InsecureFrontendValidationMode=True/ConfigurationChanged'
  expect(conditions(clients(insecure), secret(), authority())).toContain(shown)
  expect(
    conditions(clients(undefined, [{ port: 443, tls: { validation: insecure } }]), secret(), authority()),
  ).toContain(shown)
  expect(conditions(clients({ caCertificateRefs: [ca('ca')] }), secret(), authority())).not.toContain(shown)
})

test.for<[string, object, KubeObject[], string]>([
  ['a client certificate for backends is good', { name: 'cert' }, [secret()], 'ResolvedRefs=True/ResolvedRefs'],
  ['one that does not exist is invalid', { name: 'nowhere' }, [], 'ResolvedRefs=False/InvalidClientCertificateRef'],
  [
    'one of another kind is invalid',
    { kind: 'ConfigMap', name: 'ca' },
    [authority()],
    'ResolvedRefs=False/InvalidClientCertificateRef',
  ],
  [
    'one of another namespace needs a grant',
    { name: 'cert', namespace: 'other' },
    [foreign],
    'ResolvedRefs=False/RefNotPermitted',
  ],
])('of the Gateway as a client: %s', ([, clientCertificateRef, objects, expected]) => {
  const owner = gateway({ spec: { tls: { backend: { clientCertificateRef } } } })
  expect(conditions(owner, ...objects)).toContain(expected)
  expect(conditions(owner, ...objects)).toContain('Accepted=True/Accepted')
})

test.for<[string, object[], string[]]>([
  ['a Gateway of good listeners is accepted', [{}], ['Accepted=True/Accepted', 'Programmed=True/Programmed']],
  [
    'a bad listener beside a good one is told',
    [{}, { protocol: 'own' }],
    ['Accepted=True/ListenersNotValid', 'Programmed=True/Programmed'],
  ],
  [
    'without a good listener it is not accepted',
    [{ protocol: 'own' }],
    ['Accepted=False/ListenersNotValid', 'Programmed=False/Invalid'],
  ],
])('%s', ([, listeners, expected]) => {
  const all = listeners.map((listener, index) => ({
    name: `l${index}`,
    port: 80 + index,
    protocol: 'HTTP',
    ...listener,
  }))
  expect(conditions(gateway({ spec: { listeners: all } }))).toEqual(expect.arrayContaining(expected))
})

test('supportedKinds lists the valid kinds among invalid ones, and none for an unknown protocol', () => {
  const kinds = (...names: string[]) => ({ allowedRoutes: { kinds: names.map((kind) => ({ kind })) } })
  const owner = gateway({
    spec: {
      listeners: [
        { name: 'all', port: 80, protocol: 'HTTP' },
        { name: 'one', port: 81, protocol: 'HTTP', ...kinds('HTTPRoute', 'UDPRoute') },
        { name: 'none', port: 82, protocol: 'HTTP', ...kinds('UDPRoute') },
        { name: 'own', port: 83, protocol: 'example.com/own' },
      ],
    },
  })
  const [, ours] = statuses(compiled(gatewayClass(), owner), '')
  const listed = ours?.status.listeners?.map(({ name, supportedKinds }) => [
    name,
    ...supportedKinds.map(({ kind }) => kind),
  ])
  expect(listed).toEqual([['all', 'HTTPRoute', 'GRPCRoute'], ['one', 'HTTPRoute'], ['none'], ['own']])
  expect(listener('one', owner)).toEqual(['ResolvedRefs=False/InvalidRouteKinds'])
  expect(listener('none', owner)).toEqual(['ResolvedRefs=False/InvalidRouteKinds'])
})

test.for<[string, object | undefined, string, string]>([
  ['no ListenerSets are allowed by default', undefined, 'default', 'Accepted=False/NotAllowed'],
  ['None allows none', { namespaces: { from: 'None' } }, 'default', 'Accepted=False/NotAllowed'],
  [
    "Same allows those of the Gateway's namespace",
    { namespaces: { from: 'Same' } },
    'default',
    'Accepted=True/Accepted',
  ],
  ['Same allows no others', { namespaces: { from: 'Same' } }, 'team', 'Accepted=False/NotAllowed'],
  ['All allows all', { namespaces: { from: 'All' } }, 'team', 'Accepted=True/Accepted'],
  [
    'Selector allows those of namespaces with the labels',
    { namespaces: { from: 'Selector', selector: { matchLabels: { a: 'b' } } } },
    'team',
    'Accepted=True/Accepted',
  ],
  [
    'Selector allows no others',
    { namespaces: { from: 'Selector', selector: { matchLabels: { a: 'c' } } } },
    'team',
    'Accepted=False/NotAllowed',
  ],
])('of allowedListeners: %s', ([, allowedListeners, space, expected]) => {
  const parent = gateway({ spec: { ...(allowedListeners && { allowedListeners }) } })
  const set = listenerSet({ metadata: { namespace: space }, spec: { parentRef: { name: 'gw', namespace: 'default' } } })
  const objects = [parent, namespace({ metadata: { name: 'team', labels: { a: 'b' } } })]
  expect(conditions(set, ...objects)).toContain(expected)
  const attached = statuses(compiled(gatewayClass(), set, ...objects), '').find(({ object }) => object === parent)
  expect(attached?.status.attachedListenerSets).toBe(expected.startsWith('Accepted=True') ? 1 : 0)
})

test('a ListenerSet of a Gateway that is not accepted waits for it', () => {
  const parent = gateway({
    spec: { allowedListeners: { namespaces: { from: 'All' } }, addresses: [{ type: 'example.com/own', value: 'x' }] },
  })
  expect(conditions(listenerSet(), parent)).toEqual([
    'Accepted=False/ParentNotAccepted',
    'Programmed=False/ParentNotProgrammed',
  ])
})

test('a Gateway takes 4096 listeners with those of its ListenerSets, and the youngest set loses', () => {
  const parent = gateway({ spec: { allowedListeners: { namespaces: { from: 'All' } } } })
  const set = (index: number) =>
    listenerSet({
      metadata: { name: `set${index}`, creationTimestamp: new Date(index * 1000).toISOString() },
      spec: {
        listeners: Array.from({ length: 64 }, (_, port) => ({
          name: `l${port}`,
          port: 1000 + index * 64 + port,
          protocol: 'HTTP',
        })),
      },
    })
  const sets = Array.from({ length: 64 }, (_, index) => set(index))
  const { gateways, tables } = compiled(gatewayClass(), parent, ...sets)
  const late = gateways[0]?.sets.at(-1)?.listeners.at(-1)
  expect(late?.findings.map(({ reason }) => reason)).toEqual(['TooManyListeners'])
  expect(tables[0]?.listeners.length).toBe(4096)
})

/** What the table says of TLS, by listener. */
const tlsOf = (owner: KubeObject, ...objects: readonly KubeObject[]) =>
  Object.fromEntries(
    compiled(gatewayClass(), owner, ...objects).tables[0]?.listeners.map(({ id, tls }) => [id, tls]) ?? [],
  )
const cert = { certificateRefs: [{ name: 'cert' }] }
const ends = { passthrough: false, certificates: ['default/cert'], clients: undefined }

test('the table names the good certificates of listeners, each once', () => {
  const refs = [{ name: 'nowhere' }, { name: 'cert' }, { name: 'cert', namespace: 'other' }, { name: 'cert' }]
  expect(tlsOf(https(refs), secret(), foreign)).toEqual({ https: ends })
  expect(tlsOf(https(refs), secret(), foreign, grant('Gateway'))).toEqual({
    https: { ...ends, certificates: ['default/cert', 'other/cert'] },
  })
})

test('listeners of TLS end it or pass it on, and others have none', () => {
  const owner = gateway({
    spec: {
      listeners: [
        { name: 'passes', port: 443, protocol: 'TLS', hostname: 'a.com', tls: { mode: 'Passthrough' } },
        { name: 'ends', port: 443, protocol: 'TLS', hostname: 'b.com', tls: cert },
        { name: 'http', port: 80, protocol: 'HTTP' },
      ],
    },
  })
  expect(tlsOf(owner, secret())).toEqual({
    passes: { passthrough: true, certificates: [], clients: undefined },
    ends,
    http: undefined,
  })
})

test('the table says whom clients must be vouched for by, port by port, on HTTPS listeners only', () => {
  const two = configMap({ metadata: { name: 'two' }, data: { 'ca.crt': `${certificate}${certificate}` } })
  const own = { caCertificateRefs: [ca('nowhere'), ca('ca'), ca('two')], mode: 'AllowInsecureFallback' }
  const owner = clients({ caCertificateRefs: [ca('ca')] }, [{ port: 8443, tls: { validation: own } }])
  expect(tlsOf(owner, secret(), authority(), two)).toEqual({
    http: undefined,
    https: { ...ends, clients: { authorities: certificate, insecureFallback: false } },
    other: { ...ends, clients: { authorities: certificate.repeat(3), insecureFallback: true } },
  })
})

test('the table names the certificate of the Gateway as a client when it is good', () => {
  const named = (name: string) => gateway({ spec: { tls: { backend: { clientCertificateRef: { name } } } } })
  const nameOf = (owner: KubeObject) => compiled(gatewayClass(), owner, secret()).tables[0]?.settings.clientCertificate
  expect(['cert', 'nowhere'].map(named).map(nameOf)).toEqual(['default/cert', ''])
})

test('on Cloudflare, which shows a certificate of its own, an HTTPS listener needs none, but one that it names must be there', () => {
  const edge = gatewayClass({ spec: { controllerName: 'landfall.dev/edge-controller' } })
  const owner = gateway({
    spec: {
      listeners: [
        { name: 'none', port: 443, protocol: 'HTTPS' },
        { name: 'wrong', port: 8443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'nowhere' }] } },
      ],
    },
  })
  const conditionsOf = (name: string) =>
    statuses(compiled(edge, owner), '')
      .flatMap(({ status }) => status.listeners?.filter((listener) => listener.name === name) ?? [])
      .flatMap(({ conditions }) => conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`))
  expect(conditionsOf('none')).toEqual(
    expect.arrayContaining(['Programmed=True/Programmed', 'ResolvedRefs=True/ResolvedRefs']),
  )
  expect(conditionsOf('wrong')).toEqual(
    expect.arrayContaining(['Programmed=True/Programmed', 'ResolvedRefs=False/InvalidCertificateRef']),
  )
  expect(listener('none', owner)).toEqual(invalid)
})
