import type { Compiled } from '../../control/compile/compile.ts'
import { type ObjectStatus, type Status, statuses } from '../../control/status/statuses.ts'
import type { GatewayTable } from '../../control/table.ts'
import type { Condition } from '../../kube/objects.ts'
import { formatField } from '../../kube/problem.ts'
import {
  AppProtocol,
  type Backend,
  type BackendRef,
  type BackendTls,
  type Filter,
  type Host,
  type Listener,
  type Match,
  Origin,
  PathMatch_Kind,
  PathModifier_Kind,
  Protocol,
  type Rule,
  SessionPersistence_Kind,
  SubjectAltName_Kind,
  type Tls,
  type ValueMatch,
} from '../../proto/gen/route_table.ts'

// What a compile comes to, as a person would write it down: names for numbers, nothing for defaults.

const nameIn = (names: Readonly<Record<string, unknown>>, value: unknown): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value)

/** Without the fields that hold nothing. */
const filled = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isNothing(value)))

const isNothing = (value: unknown): boolean =>
  value === undefined || value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0)

const values = (entries: readonly ValueMatch[]): string[] =>
  entries.map(({ name, value, regex }) => `${name} ${regex ? '~' : '='} ${value}`)

const pathWords = {
  [PathMatch_Kind.PREFIX]: 'prefix',
  [PathMatch_Kind.EXACT]: 'exact',
  [PathMatch_Kind.REGEX]: 'regex',
}

const match = ({ path, method, headers, query, rule }: Match): object =>
  filled({
    path: path && `${pathWords[path.kind]} ${path.value}`,
    method,
    headers: values(headers),
    query: values(query),
    to: `rule ${rule}`,
  })

function filter({ kind }: Filter): object {
  if (kind === undefined) return {}
  const { $case: type, value } = kind
  const path =
    'path' in value && value.path !== undefined
      ? `${nameIn(PathModifier_Kind, value.path.kind)} ${value.path.value}`
      : undefined
  return { [type]: filled({ ...value, ...('path' in value && { path }) }) }
}

const backendRef = ({ backend, weight, filters, invalid }: BackendRef): object =>
  filled({ backend, weight: weight === 0 ? 'none' : weight, filters: filters.map(filter), invalid })

const rule = ({ route, index, name, filters, backends, timeouts, retry, session, invalid }: Rule): object =>
  filled({
    of: `${route} ${index}${name === '' ? '' : ` (${name})`}`,
    filters: filters.map(filter),
    backends: backends.map(backendRef),
    timeouts: timeouts && filled({ ...timeouts }),
    retry: retry && filled({ ...retry }),
    session: session && filled({ ...session, kind: nameIn(SessionPersistence_Kind, session.kind) }),
    invalid,
  })

const host = ({ listener, hostname, matches, rules }: Host): object => ({
  host: `${hostname === '' ? 'every host' : hostname} on ${listener}`,
  matches: matches.map(match),
  rules: rules.map(rule),
})

const names = { [SubjectAltName_Kind.HOSTNAME]: 'host', [SubjectAltName_Kind.URI]: 'URI' }

/** Certificates tell a reader nothing: their number does. */
const authorities = (pem: string): string => {
  const count = pem.split('BEGIN CERTIFICATE').length - 1
  return `${count} CA certificate${count === 1 ? '' : 's'}`
}

const backendTls = ({ hostname, authorities: pem, subjectAltNames }: BackendTls): string =>
  [
    `${hostname} by ${pem === '' ? 'the system' : authorities(pem)}`,
    ...subjectAltNames.map(({ kind, value }) => `${names[kind]} ${value}`),
  ].join(', ')

const backend = ({ key, protocol, origin, originAddress, endpoints, tls }: Backend): object =>
  filled({
    key,
    tls: tls && backendTls(tls),
    protocol: protocol === AppProtocol.HTTP1 ? '' : nameIn(AppProtocol, protocol),
    origin: origin === Origin.CONNECTOR ? '' : `${nameIn(Origin, origin)} ${originAddress}`,
    endpoints: endpoints.map(({ address, port }) =>
      address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    ),
  })

function listenerTls({ passthrough, certificates, clients }: Tls): string {
  if (passthrough) return 'passthrough'
  const own = certificates.length === 0 ? 'no certificate' : certificates.join(' ')
  if (clients === undefined) return own
  return `${own}, clients by ${authorities(clients.authorities)}${clients.insecureFallback ? ' or by nothing' : ''}`
}

const listener = ({ id, port, protocol, hostname, tls }: Listener): string =>
  `${id}: ${nameIn(Protocol, protocol)} ${port} ${hostname}`.trimEnd() +
  (tls === undefined ? '' : ` (${listenerTls(tls)})`)

function table({ gateway, addresses, listeners, hosts, backends, settings }: GatewayTable): object {
  const set = filled({ ...settings })
  return filled({
    gateway,
    addresses,
    settings: Object.keys(set).length === 0 ? undefined : set,
    listeners: listeners.map(listener),
    hosts: hosts.map(host),
    backends: backends.map(backend),
  })
}

/** Conditions that need no words come together. */
function conditions(all: readonly Condition[]): object {
  const words: Record<string, string> = {}
  for (const { type, status, reason, message } of all) {
    if (message !== '') words[type] = [status, reason, message].join(' - ')
    else words[status] = words[status] === undefined ? type : `${words[status]} ${type}`
  }
  return words
}

function status({ conditions: own, addresses, listeners, attachedListenerSets, parents, ancestors }: Status): object {
  return filled({
    addresses: addresses?.map(({ value }) => value),
    ...(own && conditions(own)),
    attachedListenerSets,
    listeners: listeners?.map(({ name, supportedKinds, attachedRoutes, conditions: own }) => ({
      name,
      kinds: supportedKinds.map(({ kind }) => kind).join(' '),
      attachedRoutes,
      ...conditions(own),
    })),
    parents: parents?.map(({ parentRef, conditions: own }) => {
      const { kind, namespace, name, sectionName, port } = parentRef
      const words = [kind, namespace === undefined ? name : `${namespace}/${name}`, sectionName, port]
      return { parent: words.filter((word) => word !== undefined).join(' '), ...conditions(own) }
    }),
    ancestors: ancestors?.map(({ ancestorRef: { namespace, name }, conditions: own }) => ({
      ancestor: `${namespace}/${name}`,
      ...conditions(own),
    })),
  })
}

const title = ({ object: { kind, metadata } }: Pick<ObjectStatus, 'object'>): string =>
  `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`

/** Tables, statuses, and the findings that no status shows. */
export function readable(compiled: Compiled): object {
  const all = statuses(compiled, '')
  const shown = new Set(all.map(({ object }) => object))
  const hints = compiled.findings.filter(({ condition, object }) => condition === undefined || !shown.has(object))
  return filled({
    tables: compiled.tables.map(table),
    statuses: Object.fromEntries(all.map((each) => [title(each), status(each.status)])),
    hints: hints.map(
      ({ severity, object, path, message }) => `${severity}: ${title({ object })} ${formatField(path)}: ${message}`,
    ),
  })
}
