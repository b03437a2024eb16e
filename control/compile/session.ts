import { shardHash } from '../../engine/shards.ts'
import { milliseconds } from '../../kube/fields.ts'
import type { SessionPersistence } from '../../kube/gateway-api/session-persistence.ts'
import { SessionPersistence_Kind, type SessionPersistence as TableSession } from '../../proto/gen/route_table.ts'

/** SessionPersistence. Without a sessionName the name is made from `rule`, "namespace/route/rule", so that no two are alike. */
export function sessionOf(session: SessionPersistence | undefined, rule: string): TableSession | undefined {
  if (session === undefined) return undefined
  const { type, sessionName, absoluteTimeout, cookieConfig } = session
  return {
    kind: type === 'Cookie' ? SessionPersistence_Kind.COOKIE : SessionPersistence_Kind.HEADER,
    name: sessionName || `landfall-${shardHash(rule).toString(16).padStart(8, '0')}`,
    absoluteTimeout: absoluteTimeout === undefined ? 0 : Math.ceil(milliseconds(absoluteTimeout) / 1000),
    permanent: cookieConfig?.lifetimeType === 'Permanent',
  }
}
