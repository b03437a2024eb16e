import type { ExpectStatic } from 'vitest'
import type { DaemonKind } from '../bgp-daemons/daemon.ts'
import type { BgpSite } from '../bgp-site.ts'

/** Something that is to hold between our agent and every daemon. */
export interface Cell {
  /** The sentence that it proves. */
  readonly name: string
  /** By the daemon's name: why it cannot be shown with it. */
  readonly lacks?: Readonly<Record<string, string>>
  readonly prove: (stage: Stage) => Promise<void>
}

export interface Stage {
  readonly site: BgpSite
  readonly kind: DaemonKind
  readonly expect: ExpectStatic
}
