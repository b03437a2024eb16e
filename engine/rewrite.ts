import { type PathModifier, PathModifier_Kind } from '../proto/gen/route_table.ts'

/** The path that a rewrite or a redirect makes of `path`. HTTPPathModifier.
 *  `prefix` is the path prefix that the request matched; undefined when it matched by something else, and then there is
 *  no prefix to replace. */
export function modifiedPath(modifier: PathModifier | undefined, path: string, prefix: string | undefined): string {
  switch (modifier?.kind) {
    case undefined:
      return path
    case PathModifier_Kind.REPLACE_FULL_PATH:
      return absolute(modifier.value)
    case PathModifier_Kind.REPLACE_PREFIX_MATCH:
      return prefix === undefined ? path : absolute(trimmed(modifier.value) + path.slice(trimmed(prefix).length))
  }
}

/** "A trailing `/` is ignored." */
const trimmed = (prefix: string): string => prefix.replace(/\/+$/, '')

/** With one slash in front: two would make the first segment an authority (RFC 3986 section 4.2). */
const absolute = (path: string): string => path.replace(/^\/*/, '/')
