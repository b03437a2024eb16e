import type { LabelSelector } from '../../kube/fields.ts'
import { selects } from '../../kube/label-selector.ts'
import { nameOf } from '../snapshot-index.ts'
import type { Source } from './source.ts'

/** RouteNamespaces of a listener and ListenerNamespaces of a Gateway. */
export interface Namespaces {
  readonly from: 'All' | 'Selector' | 'Same' | 'None'
  readonly selector?: LabelSelector
}

/** Whether objects of `namespace` may attach to an object of `owner` that is open to `namespaces`. */
export function isOpen({ from, selector }: Namespaces, owner: string, namespace: string, source: Source): boolean {
  switch (from) {
    case 'All':
      return true
    case 'None':
      return false
    case 'Same':
      return namespace === owner
    case 'Selector':
      return selector !== undefined && selects(selector, labelsOf(namespace, source))
  }
}

/** The API server gives every namespace the label of its name, and files need not have the Namespace. */
const labelsOf = (name: string, source: Source): Readonly<Record<string, string>> => ({
  ...source.look('Namespace', nameOf('', name))?.metadata.labels,
  'kubernetes.io/metadata.name': name,
})
