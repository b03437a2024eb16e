import { expect, test } from 'vitest'
import type { LabelSelector } from './fields.ts'
import { selects } from './label-selector.ts'

const expression = (operator: string, values?: string[]): LabelSelector => ({
  matchExpressions: [{ key: 'team', operator, ...(values && { values }) }],
})

test.for<[string, LabelSelector, Record<string, string>, boolean]>([
  ['an empty selector selects everything', {}, {}, true],
  ['matchLabels wants the label', { matchLabels: { team: 'a' } }, {}, false],
  ['matchLabels wants the value', { matchLabels: { team: 'a' } }, { team: 'b' }, false],
  ['matchLabels is content with label and value', { matchLabels: { team: 'a' } }, { team: 'a', more: 'x' }, true],
  ['matchLabels are ANDed', { matchLabels: { team: 'a', tier: 'web' } }, { team: 'a' }, false],
  ['a name that every object inherits is no label', { matchLabels: { constructor: 'a' } }, {}, false],
  ['In wants one of the values', expression('In', ['a', 'b']), { team: 'b' }, true],
  ['In refuses other values', expression('In', ['a', 'b']), { team: 'c' }, false],
  ['In refuses a missing label', expression('In', ['a']), {}, false],
  ['NotIn refuses its values', expression('NotIn', ['a']), { team: 'a' }, false],
  ['NotIn is content with a missing label', expression('NotIn', ['a']), {}, true],
  ['Exists wants the label', expression('Exists'), {}, false],
  ['Exists takes any value', expression('Exists'), { team: '' }, true],
  ['DoesNotExist refuses the label', expression('DoesNotExist'), { team: 'a' }, false],
  ['DoesNotExist is content without it', expression('DoesNotExist'), {}, true],
  ['an unknown operator selects nothing', expression('Gt', ['1']), { team: '2' }, false],
  [
    'labels and expressions are ANDed',
    { matchLabels: { tier: 'web' }, ...expression('Exists') },
    { tier: 'web' },
    false,
  ],
])('%s', ([, selector, labels, selected]) => {
  expect(selects(selector, labels)).toBe(selected)
})
