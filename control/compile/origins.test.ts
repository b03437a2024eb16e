import { expect, test } from 'vitest'
import { Origin } from '../../proto/gen/route_table.ts'
import { service } from './object-fixture.ts'
import { originOf } from './origins.ts'

/** The origin and address of a Service with these annotations, or the annotation that is wrong. */
function found(origin: string | undefined, address: string | undefined, byDefault: Origin = Origin.CONNECTOR): string {
  const annotations = {
    ...(origin !== undefined && { 'landfall.dev/origin': origin }),
    ...(address !== undefined && { 'landfall.dev/origin-address': address }),
  }
  const result = originOf(service({ metadata: { annotations } }), byDefault)
  return 'message' in result ? String(result.path.at(-1)) : `${result.origin} ${result.address}`.trim()
}

test.for<[string, string | undefined, string | undefined, Origin, string]>([
  ['without annotations the default goes', undefined, undefined, Origin.CONNECTOR, '0'],
  ['an annotation goes before the default', 'connector', undefined, Origin.URL, '0'],
  [
    'resolve-override takes a hostname',
    'resolve-override',
    'origin.example.com',
    Origin.CONNECTOR,
    '1 origin.example.com',
  ],
  [
    'the default may be resolve-override',
    undefined,
    'origin.example.com',
    Origin.RESOLVE_OVERRIDE,
    '1 origin.example.com',
  ],
  [
    'resolve-override takes no URL',
    'resolve-override',
    'https://origin.example.com',
    Origin.CONNECTOR,
    'landfall.dev/origin-address',
  ],
  [
    'resolve-override takes no wildcard',
    'resolve-override',
    '*.example.com',
    Origin.CONNECTOR,
    'landfall.dev/origin-address',
  ],
  ['resolve-override needs an address', undefined, undefined, Origin.RESOLVE_OVERRIDE, 'landfall.dev/origin-address'],
  ['url takes a URL', 'url', 'https://origin.example.com', Origin.CONNECTOR, '2 https://origin.example.com'],
  [
    'url takes a port and a path to begin with',
    'url',
    'http://origin.example.com:8080/base/',
    Origin.CONNECTOR,
    '2 http://origin.example.com:8080/base',
  ],
  ['url takes no hostname alone', 'url', 'origin.example.com', Origin.CONNECTOR, 'landfall.dev/origin-address'],
  ['url takes no other scheme', 'url', 'ftp://origin.example.com', Origin.CONNECTOR, 'landfall.dev/origin-address'],
  ['url takes no query', 'url', 'https://origin.example.com/?a=b', Origin.CONNECTOR, 'landfall.dev/origin-address'],
  [
    'url takes no password, which would stand in the store',
    'url',
    'https://u:p@origin.example.com',
    Origin.CONNECTOR,
    'landfall.dev/origin-address',
  ],
  ['url needs an address', 'url', undefined, Origin.CONNECTOR, 'landfall.dev/origin-address'],
  [
    'an address is of no use to the connector',
    undefined,
    'origin.example.com',
    Origin.CONNECTOR,
    'landfall.dev/origin-address',
  ],
  ['an unknown origin is wrong', 'tunnel', undefined, Origin.CONNECTOR, 'landfall.dev/origin'],
  ['a name that every object inherits is no origin', 'constructor', undefined, Origin.CONNECTOR, 'landfall.dev/origin'],
])('%s', ([, origin, address, byDefault, expected]) => {
  expect(found(origin, address, byDefault)).toBe(expected)
})
