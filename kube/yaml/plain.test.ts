import { expect, test } from 'vitest'
import { readYaml } from './document.ts'
import { readPlainYaml } from './plain.ts'

test.for([
  'a: 1\nb: "two"\nc: \'three\'\nd:\ne: four five\n',
  '---\n# first\na:\n- b: 1\n  c:\n    - d\n    -   e: [x, "y", \'z\']\n        f: {g: h, i: 2}\n-\n  j: k\nl: []\nm: {}\n',
  '- - a\n  - b\n- c: yes\n',
  'url: http://a.b:80/c#d?e=f,g\ntime: 12:30:45\nversion: 1.2.3\noctal: 0755\nempty: null\n',
])('plain YAML is read as the full reader reads it: %j', (text) => {
  expect(readPlainYaml(text)).toBeDefined()
  expect(readPlainYaml(text)).toEqual(readYaml(text))
})

test.for<[string, string]>([
  ['a text of several lines', 'a: b\n  c\n'],
  ['a block of text', 'a: |\n  b\n'],
  ['a comment behind a value', 'a: b # c\n'],
  ['an escape', 'a: "\\n"\n'],
  ['an anchor', 'a: &b c\n'],
  ['a tag', 'a: !!str 1\n'],
  ['a second colon', 'a: b: c\n'],
  ['a field given twice', 'a: 1\na: 2\n'],
  ['a field that YAML reads as a boolean', 'on: 1\n'],
  ['a field that would be a prototype', '__proto__: 1\n'],
  ['a line that is out of line', 'a:\n    b: 1\n  c: 2\n'],
  ['lists in lists', `a: [[b]]\n`],
  ['a tab', 'a:\tb\n'],
  ['a second document', 'a: b\n--- c\n'],
  ['no value', '# nothing\n'],
  ['lists without end', Array.from({ length: 60 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
])('%s is left to the full reader', ([, text]) => {
  expect(readPlainYaml(text)).toBeUndefined()
})
