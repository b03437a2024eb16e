/** What the service takes at most, where it runs. */
export interface Limits {
  /** Bytes of a request's body, and of what it unpacks to. */
  readonly bodyBytes: number
  /** Bodies that are read or wait at a time. */
  readonly bodies: number
  readonly files: number
  readonly sets: number
  /** Changes and plans of a token: at once, and again a second. */
  readonly pushes: { readonly burst: number; readonly perSecond: number }
  /** All other requests of a token, and all requests together that have none. */
  readonly reads: { readonly burst: number; readonly perSecond: number }
  /** Streams of events. */
  readonly streams: number
}

export const nodeLimits: Limits = {
  bodyBytes: 256 * 1024 * 1024,
  bodies: 4,
  files: 100_000,
  sets: 1_000,
  pushes: { burst: 60, perSecond: 1 },
  reads: { burst: 200, perSecond: 20 },
  streams: 100,
}

/** An isolate has 128 MB. */
export const workerLimits: Limits = {
  ...nodeLimits,
  bodyBytes: 8 * 1024 * 1024,
  bodies: 2,
  files: 1_000,
  sets: 100,
  streams: 20,
}
