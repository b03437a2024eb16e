import { expect, test } from 'vitest'
import { parseManifests } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { configMap, endpointSlice, listenerSet, namespace, policy, referenceGrant } from './compile/object-fixture.ts'
import { Snapshot } from './snapshot.ts'

const names = (list: readonly KubeObject[]) =>
  list.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)

test('an object is found by kind, namespace and name', () => {
  const a = configMap({ metadata: { name: 'a' } })
  const snapshot = Snapshot.of([a, namespace({ metadata: { name: 'shop' } })])
  expect(snapshot.look('ConfigMap', 'default/a')).toBe(a)
  expect(snapshot.look('ConfigMap', 'other/a')).toBeUndefined()
  expect(snapshot.look('Secret', 'default/a')).toBeUndefined()
  expect(snapshot.look('Namespace', '/shop')?.metadata.name).toBe('shop')
})

test('a change of what says nothing of routes is none', () => {
  const a = configMap({ metadata: { name: 'a' } })
  const node = (name: string): KubeObject => {
    const [object] = parseManifests('node.yaml', `apiVersion: v1\nkind: Node\nmetadata: { name: ${name} }`).objects
    if (object === undefined) throw new Error('no Node')
    return object
  }
  const before = Snapshot.of([a, node('one')])
  expect(before.next([a, node('two')])).toBe(before)
})

test('a list is in order of namespace and name, whatever order the objects came in', () => {
  const objects = ['b/b', 'a/c', 'a-b/a', 'a/a'].map((key) => {
    const [space, name] = key.split('/')
    return configMap({ metadata: { namespace: space, name } })
  })
  const sorted = ['a/a', 'a/c', 'a-b/a', 'b/b']
  expect(names(Snapshot.of(objects).list('ConfigMap'))).toEqual(sorted)
  expect(names(Snapshot.of(objects.slice(0, 2)).next(objects.toReversed()).list('ConfigMap'))).toEqual(sorted)
})

test('EndpointSlices are found by the Service that their label names', () => {
  const slice = endpointSlice({
    metadata: { name: 'x', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
  })
  const stray = endpointSlice({ metadata: { name: 'y', namespace: 'shop', labels: {} } })
  expect(Snapshot.of([slice, stray]).look('slices', 'shop/web')).toEqual([slice])
})

test('ListenerSets are found by their Gateway, policies by their Services, grants by their namespace', () => {
  const set = listenerSet({
    metadata: { name: 'set', namespace: 'team' },
    spec: { parentRef: { name: 'gw', namespace: 'infra' } },
  })
  const own = listenerSet({ metadata: { name: 'own', namespace: 'infra' }, spec: { parentRef: { name: 'gw' } } })
  const tls = policy({
    metadata: { name: 'tls' },
    spec: {
      targetRefs: [
        { group: '', kind: 'Service', name: 'a' },
        { group: '', kind: 'Service', name: 'b' },
      ],
    },
  })
  const grant = referenceGrant({ metadata: { name: 'grant', namespace: 'infra' } })
  const snapshot = Snapshot.of([set, own, tls, grant])
  expect(snapshot.look('listenerSets', 'infra/gw')).toEqual([own, set])
  expect(snapshot.look('policies', 'default/a')).toEqual([tls])
  expect(snapshot.look('policies', 'default/b')).toEqual([tls])
  expect(snapshot.look('grants', 'infra/')).toEqual([grant])
})

test('the same objects give the same view', () => {
  const objects = [configMap({ metadata: { name: 'a' } }), namespace({ metadata: { name: 'b' } })]
  const snapshot = Snapshot.of(objects)
  expect(snapshot.next([...objects])).toBe(snapshot)
})

test('what shows only objects that stayed keeps its identity', () => {
  const label = { 'kubernetes.io/service-name': 'web' }
  const slices = ['a', 'b'].map((name) => endpointSlice({ metadata: { name, labels: label } }))
  const other = endpointSlice({ metadata: { name: 'c', labels: { 'kubernetes.io/service-name': 'db' } } })
  const map = configMap({ metadata: { name: 'a' } })
  const before = Snapshot.of([...slices, other, map])
  const changed = endpointSlice({ metadata: { name: 'c', labels: { 'kubernetes.io/service-name': 'db' } } })
  const after = before.next([...slices, changed, map])
  expect(after.look('slices', 'default/web')).toBe(before.look('slices', 'default/web'))
  expect(after.list('ConfigMap')).toBe(before.list('ConfigMap'))
  expect(after.look('slices', 'default/db')).toEqual([changed])
  expect(before.look('slices', 'default/db')).toEqual([other])
})

test('a slice that moves to another Service leaves the first', () => {
  const slice = (service: string) =>
    endpointSlice({ metadata: { name: 'a', labels: { 'kubernetes.io/service-name': service } } })
  const moved = slice('new')
  const after = Snapshot.of([slice('old')]).next([moved])
  expect(after.look('slices', 'default/old')).toBeUndefined()
  expect(after.look('slices', 'default/new')).toEqual([moved])
})

test('of two objects with the same name the later counts, and the earlier comes back when the later goes', () => {
  const [first, second] = [configMap({ metadata: { name: 'a' } }), configMap({ metadata: { name: 'a' } })]
  const snapshot = Snapshot.of([first, second])
  expect(snapshot.list('ConfigMap')).toEqual([second])
  expect(snapshot.next([first]).look('ConfigMap', 'default/a')).toBe(first)
})
