/** NOTIFICATION error codes. RFC 4271 section 4.5; ROUTE-REFRESH from RFC 7313 section 5. */
export const ErrorCode = {
  messageHeader: 1,
  open: 2,
  update: 3,
  holdTimerExpired: 4,
  stateMachine: 5,
  cease: 6,
  routeRefresh: 7,
} as const
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

/** Subcodes of ErrorCode.messageHeader. RFC 4271 section 6.1. */
export const HeaderError = { notSynchronized: 1, badLength: 2, badType: 3 } as const

/** Subcodes of ErrorCode.open. RFC 4271 section 6.2; capability from RFC 5492 section 5, role from RFC 9234 section 4.2. */
export const OpenError = {
  unspecific: 0,
  unsupportedVersion: 1,
  badPeerAs: 2,
  badIdentifier: 3,
  unsupportedParameter: 4,
  unacceptableHoldTime: 6,
  unsupportedCapability: 7,
  roleMismatch: 11,
} as const

/** Subcodes of ErrorCode.update that end a session still. RFC 4271 section 6.3 as revised by RFC 7606. */
export const UpdateError = {
  malformedAttributes: 1,
  unrecognizedWellKnown: 2,
  optionalAttribute: 9,
  invalidNetwork: 10,
} as const

/** Subcodes of ErrorCode.stateMachine: the state in which a message came that may not. RFC 6608 section 3. */
export const StateError = { openSent: 1, openConfirm: 2, established: 3 } as const

/** Subcodes of ErrorCode.cease. RFC 4486 section 4; hard reset from RFC 8538 section 3.1, BFD down from RFC 9384. */
export const Cease = {
  prefixLimit: 1,
  shutdown: 2,
  deconfigured: 3,
  reset: 4,
  rejected: 5,
  configurationChange: 6,
  collision: 7,
  outOfResources: 8,
  hardReset: 9,
  bfdDown: 10,
} as const

/** A wire fault that ends the session: what the NOTIFICATION is to say. */
export class BgpError extends Error {
  override readonly name = 'BgpError'
  readonly code: ErrorCode
  readonly subcode: number
  readonly data: Uint8Array

  constructor(code: ErrorCode, subcode: number, message: string, data: Uint8Array = new Uint8Array()) {
    super(message)
    this.code = code
    this.subcode = subcode
    this.data = data
  }
}
