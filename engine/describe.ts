import {
  type Filter,
  type HeaderModifier,
  type Match,
  type PathMatch,
  PathMatch_Kind,
  type PathModifier,
  PathModifier_Kind,
  type ValueMatch,
} from '../proto/gen/route_table.ts'

// Parts of a table in words, for people who ask why a request went where it did.

/** What a match wants of a request, part by part. */
export function describeMatch({ path, method, headers, query }: Match): readonly string[] {
  return [
    `path: ${describePath(path)}`,
    ...(method === '' ? [] : [`method: ${method}`]),
    ...headers.map((header) => `header ${header.name}: ${describeValue(header)}`),
    ...query.map((parameter) => `query parameter ${parameter.name}: ${describeValue(parameter)}`),
  ]
}

/** The same of a match of a GRPCRoute: a call is a POST to /service/method, and the path is made from what the route says. */
export function describeCall({ path, headers }: Match): readonly string[] {
  return [
    ...(isEveryCall(path) ? [] : [`call: ${describeCallPath(path)}`]),
    ...headers.map((header) => `metadata ${header.name}: ${describeValue(header)}`),
  ]
}

const isEveryCall = (path: PathMatch | undefined): boolean =>
  path === undefined || (path.kind === PathMatch_Kind.PREFIX && path.value === '/')

export function describeCallPath(path: PathMatch | undefined): string {
  const name = path?.value.slice(1) ?? ''
  if (path?.kind === PathMatch_Kind.PREFIX) return `any method of '${name}'`
  return path?.kind === PathMatch_Kind.REGEX ? `a match of '${name}'` : `'${name}'`
}

export function describePath(path: PathMatch | undefined): string {
  switch (path?.kind) {
    case undefined:
      return "the prefix '/'"
    case PathMatch_Kind.PREFIX:
      return `the prefix '${path.value}'`
    case PathMatch_Kind.EXACT:
      return `'${path.value}'`
    case PathMatch_Kind.REGEX:
      return `a match of '${path.value}'`
  }
}

export const describeValue = ({ value, regex }: ValueMatch): string => (regex ? `a match of '${value}'` : `'${value}'`)

export function describeFilter({ kind }: Filter): string {
  switch (kind?.$case) {
    case undefined:
      return 'unknown filter'
    case 'requestHeaders':
      return `request headers: ${describeModifier(kind.value)}`
    case 'responseHeaders':
      return `response headers: ${describeModifier(kind.value)}`
    case 'redirect': {
      const { scheme, hostname, port, path, status } = kind.value
      const parts = [
        ...(scheme === '' ? [] : [`scheme ${scheme}`]),
        ...(hostname === '' ? [] : [`host ${hostname}`]),
        ...(port === 0 ? [] : [`port ${port}`]),
        ...describePathModifier(path),
      ]
      return `redirect with ${status === 0 ? 302 : status}: ${parts.length === 0 ? 'to itself' : parts.join(', ')}`
    }
    case 'rewrite': {
      const { hostname, path } = kind.value
      return `rewrite: ${[...(hostname === '' ? [] : [`host ${hostname}`]), ...describePathModifier(path)].join(', ')}`
    }
    case 'mirror': {
      const { backend, numerator, denominator } = kind.value
      const share = numerator >= denominator ? '' : `, ${numerator} of ${denominator} requests`
      return `mirror: ${backend === '' ? 'unresolved' : backend}${share}`
    }
    case 'cors':
      return `CORS: origins ${kind.value.allowOrigins.join(', ')}`
  }
}

function describeModifier({ set, add, remove }: HeaderModifier): string {
  return [
    ...remove.map((name) => `remove ${name}`),
    ...set.map(({ name, value }) => `set ${name}: ${value}`),
    ...add.map(({ name, value }) => `add ${name}: ${value}`),
  ].join(', ')
}

function describePathModifier(path: PathModifier | undefined): readonly string[] {
  if (path === undefined) return []
  return [
    path.kind === PathModifier_Kind.REPLACE_FULL_PATH ? `path ${path.value}` : `prefix replaced by '${path.value}'`,
  ]
}
