import { expect, test } from 'vitest'
import { PathModifier_Kind, type Redirect } from '../proto/gen/route_table.ts'
import { type FactsChanges, facts } from '../test/engine-tables.ts'
import { redirectLocation } from './redirect.ts'

const none: Redirect = { scheme: '', hostname: '', path: undefined, port: 0, status: 302 }

// HTTPRequestRedirectFilter.port: "the redirect port MUST be derived using the following rules".
test.for<[string, Partial<Redirect>, FactsChanges, number, string]>([
  ['80 is left out of http', { port: 80 }, {}, 80, 'http://example.com/'],
  ['any other port is written', { port: 8080 }, {}, 80, 'http://example.com:8080/'],
  ['without a port it is the listener’s', {}, {}, 8080, 'http://example.com:8080/'],
  ['a scheme brings its own port', { scheme: 'https' }, {}, 8080, 'https://example.com/'],
  ['a given port stays with a scheme', { scheme: 'https', port: 8443 }, {}, 80, 'https://example.com:8443/'],
  ['443 is left out of https', { port: 443 }, { scheme: 'https' }, 443, 'https://example.com/'],
  ['443 is written for http', { port: 443 }, {}, 80, 'http://example.com:443/'],
  ['80 is written for https', { port: 80, scheme: 'https' }, {}, 80, 'https://example.com:80/'],
  ['http from an HTTPS listener', { scheme: 'http' }, { scheme: 'https' }, 443, 'http://example.com/'],
  ['the port of the Host header says nothing', {}, { authority: 'example.com:9999' }, 80, 'http://example.com/'],
  ['the host can be replaced', { hostname: 'example.org' }, {}, 80, 'http://example.org/'],
  ['an IPv6 host keeps its brackets', {}, { authority: '[::1]:80' }, 8080, 'http://[::1]:8080/'],
  ['the query stays', {}, { path: '/a', query: 'b=c&d' }, 80, 'http://example.com/a?b=c&d'],
  [
    'a path can be replaced, and the query stays',
    { path: { kind: PathModifier_Kind.REPLACE_FULL_PATH, value: '/x' } },
    { path: '/a', query: 'b' },
    80,
    'http://example.com/x?b',
  ],
  [
    'a prefix can be replaced',
    { path: { kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/x' } },
    { path: '/a/b' },
    80,
    'http://example.com/x/b',
  ],
  ['without any host the location is relative, and no host', {}, { authority: '', path: '//a.com/b' }, 80, '/a.com/b'],
])('%s', ([, redirect, changes, listenerPort, location]) => {
  expect(redirectLocation({ ...none, ...redirect }, facts(changes), listenerPort, '/a')).toBe(location)
})
