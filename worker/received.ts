import type { Router } from '../engine/router.ts'
import type { WorkerFacts } from './facts.ts'
import type { Worker } from './worker.ts'

/** A request, and what it has met on its way so far. */
export interface Received {
  readonly request: Request
  readonly facts: WorkerFacts
  /** Of the Gateway that takes it. */
  readonly router: Router
  readonly worker: Worker
  /** When it came, in milliseconds since the epoch. */
  readonly now: number
  readonly ctx: ExecutionContext
}

/** What the Gateway's parameters say. */
export interface Settings {
  readonly hideReason: boolean
  readonly trustedHops: number
  readonly clientCertificate: string
}

const defaults: Settings = { hideReason: false, trustedHops: 0, clientCertificate: '' }

export const settingsOf = (router: Router): Settings => router.root.settings ?? defaults
