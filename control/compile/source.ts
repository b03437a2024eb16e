import type { Topics } from '../snapshot.ts'
import type { BackendTls } from './backend-tls.ts'
import type { ParentView } from './parents.ts'

/** What a pass can look up: objects, and what earlier passes made of them. */
export interface SourceTopics extends Topics {
  /** By objectKey: Gateways and ListenerSets of ours. */
  readonly parent: ParentView
  /** By "All", the one scope. */
  readonly defaultGateways: readonly ParentView[]
  /** By Service. */
  readonly backendTls: BackendTls
}

/** Where passes look things up. The same thing is the same object in one compile and the next. */
export interface Source {
  look<T extends keyof SourceTopics>(topic: T, name: string): SourceTopics[T] | undefined
}
