import type { Outcome } from '../addresses/allocation.ts'
import type { Topics } from '../snapshot.ts'
import type { BackendTls } from './backend-tls.ts'
import type { ParentView } from './parents.ts'

/** What a pass can look up: objects, and what earlier passes made of them. */
export interface SourceTopics extends Topics {
  /** By objectKey: Gateways and ListenerSets of ours. */
  readonly parent: ParentView
  /** By scope: Gateways that routes can ask for without a name. */
  readonly defaultGateways: readonly ParentView[]
  /** By Service. */
  readonly backendTls: BackendTls
  /** By objectKey: what Services and Gateways are given of pools. */
  readonly claim: Outcome
}

/** Where passes look things up. The same thing is the same object in one compile and the next. */
export interface Source {
  look<T extends keyof SourceTopics>(topic: T, name: string): SourceTopics[T] | undefined
  /** The topics on which an answer may have changed since the compile before. */
  readonly news: ReadonlySet<keyof SourceTopics>
}

export type Indexes = { readonly [T in keyof SourceTopics]: { get(name: string): SourceTopics[T] | undefined } }

/** Indexes, beside those of the compile before: an index that is the same object has no news. */
export function sourceOf(indexes: Indexes, earlier: Indexes | undefined): Source {
  const topics = Object.keys(indexes).filter((topic) => isTopic(topic, indexes))
  const news = new Set(topics.filter((topic) => indexes[topic] !== earlier?.[topic]))
  return {
    look: (topic, name) => indexes[topic].get(name),
    news,
  }
}

const isTopic = (name: string, indexes: Indexes): name is keyof SourceTopics => Object.hasOwn(indexes, name)
