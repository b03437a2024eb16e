import type { MetricObject } from 'prom-client'
import type { Feed } from '../standalone/feed.ts'

/** A data plane in this process, or several in processes of their own. */
export interface Plane {
  /** Serves what the feed has from now on; what is under way goes on as it began. Resolves with what cannot be served, as
   *  sentences: tables, and addresses that cannot be listened on. */
  apply(feed: Feed): Promise<readonly string[]>
  /** Of each process. */
  metrics(): Promise<readonly (readonly MetricObject[])[]>
  /** Takes no more connections, lets what is under way end within `grace` milliseconds, then cuts it. */
  close(grace: number): Promise<void>
}

/** What every process of a data plane is told when it starts. */
export interface PlaneOptions {
  /** Where Gateways listen that ask for no address. */
  readonly addresses: readonly string[]
  /** 32 bytes in base64, the same for all. */
  readonly ticketSecret: string
  readonly accessLog: boolean
  /** Of the log on standard error, as pino has them. */
  readonly logLevel: string
  /** From whom a PROXY protocol header is taken, as CIDRs; none: nobody sends one. */
  readonly proxyProtocol: readonly string[]
  /** Whether HTTP/2 is spoken, with clients and with origins. */
  readonly http2: boolean
}
