import { expect, test } from 'vitest'
import { PathModifier_Kind } from '../proto/gen/route_table.ts'
import { modifiedPath } from './rewrite.ts'

// The table in the doc comment of HTTPPathModifier.replacePrefixMatch, and what it leaves open.
test.for<[string, string, string, string]>([
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo/', '/foo', '', '/'],
  ['/foo', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/foo', '/foo', '/', '/'],
  ['/strip-prefix/three', '/strip-prefix', '/', '/three'],
  ['/bar', '/', '/xyz', '/xyz/bar'],
  ['/', '/', '/xyz', '/xyz/'],
  ['/foo//evil.example', '/foo', '/', '/evil.example'],
  ['/foo/a%2Fb;c', '/foo', '/x', '/x/a%2Fb;c'],
])('%s with the prefix %s replaced by "%s" is %s', ([path, prefix, value, modified]) => {
  expect(modifiedPath({ kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value }, path, prefix)).toBe(modified)
})

test.for<[string, string, string]>([
  ['a full path replaces all', '/one', '/one'],
  ['an empty path is the root', '', '/'],
  ['a path is absolute', 'one', '/one'],
  ['a path does not begin like an authority', '//evil.example/', '/evil.example/'],
])('%s', ([, value, modified]) => {
  expect(modifiedPath({ kind: PathModifier_Kind.REPLACE_FULL_PATH, value }, '/full/path', '/full')).toBe(modified)
})

test('without a modifier the path stays', () => {
  expect(modifiedPath(undefined, '//a', '/')).toBe('//a')
})

test('where no prefix was matched, none is replaced', () => {
  expect(modifiedPath({ kind: PathModifier_Kind.REPLACE_PREFIX_MATCH, value: '/x' }, '/a/b', undefined)).toBe('/a/b')
})
