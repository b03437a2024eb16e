import { expect, test } from 'vitest'
import type { ProtocolName } from './features.ts'
import { type Contender, conflicts, overlapping } from './listener-conflicts.ts'

/** "HTTP 80 a.example.com" */
function listener(text: string): Contender & { text: string } {
  const [protocol, port, hostname = ''] = text.split(' ')
  return { text, protocol: protocol as ProtocolName, port: Number(port), hostname }
}

/** Owners in order of precedence, and which of their listeners have which conflict. */
test.for<[string, string[][], Record<string, string>]>([
  ['different ports are distinct', [['HTTP 80', 'HTTP 81', 'TCP 82', 'UDP 82']], {}],
  [
    'different hostnames on one port are distinct',
    [['HTTP 80 a.com', 'HTTP 80 b.com', 'HTTP 80 *.a.com', 'HTTP 80']],
    {},
  ],
  [
    'of two listeners of one Gateway with one hostname none wins',
    [['HTTP 80 a.com', 'HTTP 80 a.com', 'HTTP 80 b.com']],
    { 'HTTP 80 a.com': 'HostnameConflict' },
  ],
  [
    'HTTP and HTTPS on one port conflict',
    [['HTTP 80 a.com', 'HTTPS 80 b.com']],
    { 'HTTP 80 a.com': 'ProtocolConflict', 'HTTPS 80 b.com': 'ProtocolConflict' },
  ],
  ['HTTPS and TLS share a port when their hostnames differ', [['HTTPS 443 a.com', 'TLS 443 b.com']], {}],
  [
    'HTTPS and TLS with one hostname conflict',
    [['HTTPS 443 a.com', 'TLS 443 a.com']],
    { 'HTTPS 443 a.com': 'ProtocolConflict', 'TLS 443 a.com': 'ProtocolConflict' },
  ],
  [
    'TLS terminated and passed through share a port when their hostnames differ',
    [['TLS 443 a.com', 'TLS 443 b.com']],
    {},
  ],
  [
    'all listeners that share a port with a TCP listener are not distinct',
    [['TCP 80', 'HTTP 80 a.com', 'HTTP 80 b.com']],
    { 'TCP 80': 'ProtocolConflict', 'HTTP 80 a.com': 'ProtocolConflict', 'HTTP 80 b.com': 'ProtocolConflict' },
  ],
  ['two TCP listeners on one port conflict', [['TCP 80', 'TCP 80']], { 'TCP 80': 'ProtocolConflict' }],
  ['two UDP listeners on one port conflict', [['UDP 53', 'UDP 53']], { 'UDP 53': 'ProtocolConflict' }],
  ['TCP and UDP share a port', [['TCP 53', 'UDP 53']], {}],
  [
    'a ListenerSet loses the hostname that its Gateway has',
    [['HTTP 80 a.com'], ['HTTP 80 a.com!', 'HTTP 80 b.com']],
    { 'HTTP 80 a.com!': 'HostnameConflict' },
  ],
  [
    'a ListenerSet loses the port that its Gateway has by another protocol',
    [['HTTP 80 a.com'], ['TCP 80']],
    { 'TCP 80': 'ProtocolConflict' },
  ],
  [
    'a listener that lost does not conflict with its siblings',
    [['HTTP 80 a.com'], ['HTTP 80 b.com', 'TCP 80', 'HTTP 80 c.com']],
    { 'TCP 80': 'ProtocolConflict' },
  ],
  [
    'a listener that lost does not hold the port',
    [['HTTP 80 a.com'], ['TCP 80'], ['HTTP 80 b.com']],
    { 'TCP 80': 'ProtocolConflict' },
  ],
  [
    'the earlier of two ListenerSets wins',
    [[], ['HTTP 80 a.com'], ['HTTP 80 a.com!']],
    { 'HTTP 80 a.com!': 'HostnameConflict' },
  ],
  [
    'a ListenerSet does not win what the listeners of its Gateway quarrel about',
    [
      ['HTTP 80 a.com', 'HTTP 80 a.com'],
      ['HTTP 80 a.com!', 'HTTP 80 b.com'],
    ],
    { 'HTTP 80 a.com': 'HostnameConflict', 'HTTP 80 a.com!': 'HostnameConflict' },
  ],
  [
    'a ListenerSet does not win a port that protocols quarrel about',
    [['HTTP 80', 'TCP 80'], ['HTTP 80 b.com']],
    { 'HTTP 80': 'ProtocolConflict', 'TCP 80': 'ProtocolConflict', 'HTTP 80 b.com': 'ProtocolConflict' },
  ],
])('%s', ([, owners, expected]) => {
  const all = owners.map((texts) => texts.map((text) => ({ ...listener(text.replace('!', '')), text })))
  const found = conflicts(all)
  expect(Object.fromEntries([...found].map(([{ text }, reason]) => [text, reason]))).toEqual(expected)
  const losers = all.flat().filter(({ text }) => text in expected)
  expect(losers.every((loser) => found.has(loser))).toBe(true)
})

test.for<[string, string[], string[]]>([
  [
    'foo.example.com overlaps with *.example.com',
    ['HTTPS 443 foo.example.com', 'HTTPS 443 foo.example.org', 'HTTPS 443 *.example.com'],
    ['HTTPS 443 foo.example.com', 'HTTPS 443 *.example.com'],
  ],
  ['every hostname overlaps with none', ['HTTPS 443 a.com', 'HTTPS 443'], ['HTTPS 443 a.com', 'HTTPS 443']],
  ['HTTPS overlaps with TLS', ['HTTPS 443 a.b.com', 'TLS 443 *.com'], ['HTTPS 443 a.b.com', 'TLS 443 *.com']],
  ['other ports do not overlap', ['HTTPS 443 a.com', 'HTTPS 444'], []],
  ['HTTP has no TLS to overlap', ['HTTP 80 a.com', 'HTTP 80'], []],
])('%s', ([, texts, expected]) => {
  expect([...overlapping(texts.map(listener))].map(({ text }) => text).sort()).toEqual(expected.sort())
})
