import type { Cors, Filter, Rule } from '../../proto/gen/route_table.ts'
import type { Witness } from './witness.ts'

/**
 * A request, and others like it on which two rules may differ though they agree on the first: a rewritten path or a
 * redirect can lead one request where it would go anyway, and CORS looks at who asks.
 */
export function* probesOf(witness: Witness, rules: readonly (Rule | undefined)[]): Generator<Witness> {
  yield witness
  const filters = rules.flatMap((rule) => [
    ...(rule?.filters ?? []),
    ...(rule?.backends ?? []).flatMap((ref) => ref.filters),
  ])
  for (const policy of filters.flatMap(corsOf)) yield* crossOrigin(witness, policy)
  if (!filters.some(({ kind }) => kind?.$case === 'redirect' || kind?.$case === 'rewrite')) return
  const { path, authority, query } = witness
  const [name = '', port = ''] = authority.split(/(?=:\d+$)/)
  for (const tail of ['/x', '/', '/x/y', '//x'])
    yield { ...witness, path: path === '/' ? `/${tail.slice(1)}` : path + tail }
  yield { ...witness, path: `/${path}` }
  yield { ...witness, authority: `${name}${port === '' ? ':8' : ''}` }
  yield { ...witness, authority: name.toUpperCase() + port }
  if (query === '') yield { ...witness, query: 'x' }
}

const corsOf = ({ kind }: Filter): readonly Cors[] => (kind?.$case === 'cors' ? [kind.value] : [])

function* crossOrigin(witness: Witness, { allowOrigins, allowMethods }: Cors): Generator<Witness> {
  const origins = new Set([...allowOrigins.map((origin) => origin.replace('*.', 'any.').replace(/^\*$/, OTHER)), OTHER])
  for (const origin of origins) {
    const concrete = origin.replace('*', 'any.example')
    const headers = { ...witness.headers, origin: concrete }
    yield { ...witness, headers }
    const asked = allowMethods.find((method) => method !== '*') ?? 'PUT'
    yield { ...witness, method: 'OPTIONS', headers: { ...headers, 'access-control-request-method': asked } }
    yield {
      ...witness,
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': asked, 'access-control-request-headers': 'x-any' },
    }
  }
}

const OTHER = 'https://any.example'
