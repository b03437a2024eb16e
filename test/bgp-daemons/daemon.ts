import type { Way } from '../bgp-network.ts'

/** A peer of a daemon: our agent, as the daemon is told of it. */
export interface Neighbour {
  readonly name: string
  /** The agent's address. */
  readonly address: string
  /** The daemon's own. */
  readonly local: string
  readonly way: Way
  readonly asn: number
  readonly ownAsn: number
  /** Waits for the agent to dial. */
  readonly isPassive: boolean
  readonly password: string | undefined
  /** Hops that packets may have come; RFC 5082. undefined: no TTL security. */
  readonly ttlSecurity: number | undefined
  /** Hops that the agent may be away. */
  readonly multihop: number | undefined
  /** Seconds. */
  readonly holdTime: number
  readonly families: readonly ('ipv4' | 'ipv6')[]
}

/** A route as a daemon has it from the agent. */
export interface SeenRoute {
  readonly asPath: readonly number[]
  readonly nextHop: string
  readonly med: number | undefined
  readonly localPreference: number | undefined
  /** "65001:100", in order. */
  readonly communities: readonly string[]
  /** "65001:1:2". */
  readonly largeCommunities: readonly string[]
  /** Kept by graceful restart alone. */
  readonly isStale: boolean
}

/** A running daemon. What it is asked for, it answers from what it knows itself. */
export interface Daemon {
  /** Resolves when it answers. May be called again when it has ended. */
  start(): Promise<void>
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  isUp(neighbour: Neighbour): Promise<boolean>
  /** Of the routes that it has from the agent. */
  prefixes(neighbour: Neighbour): Promise<readonly string[]>
  /** By prefix. */
  routes(neighbour: Neighbour): Promise<ReadonlyMap<string, SeenRoute>>
  /** How many routes it has from the agent, without a look at each. */
  routeCount(neighbour: Neighbour): Promise<number>
  /** UPDATEs that it has got. */
  updates(neighbour: Neighbour): Promise<number>
  /** Why the last session ended, or none came about, as the daemon says it. */
  lastError(neighbour: Neighbour): Promise<string>
  /** Asks the agent for its routes again. */
  refresh(neighbour: Neighbour): Promise<void>
  /** Ends the session and lets a new one come. */
  reset(neighbour: Neighbour): Promise<void>
  /** Another key of TCP MD5, with the session left as it is, if it can. */
  setPassword(neighbour: Neighbour, password: string): Promise<void>
}

/** What a daemon runs on. */
export interface DaemonPlace {
  /** For its files. */
  readonly directory: string
  readonly asn: number
  readonly neighbours: readonly Neighbour[]
  /** Runs where the daemon does. Resolves to what it prints. */
  readonly run: (command: string, args: readonly string[]) => Promise<string>
  readonly spawn: (command: string, args: readonly string[]) => RunningProcess
  readonly until: (isSo: () => Promise<boolean>) => Promise<void>
}

export interface RunningProcess {
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void
  /** Its log, which is what it has printed. */
  readonly log: () => string
}

export interface DaemonKind {
  readonly name: string
  /** All of them have to be there. */
  readonly programs: readonly string[]
  readonly create: (place: DaemonPlace) => Daemon
}

/** The port where daemons and agents listen. */
export const port = 1790
/** Every daemon's BGP identifier; the agent's is less. */
export const routerId = '198.51.100.1'
