// The BFD control packet. RFC 5880 section 4.1.
//
//   |  version (3 bits), diagnostic (5)  |  state (2 bits), P F C A D M  |  detect multiplier (1)  |  length (1)  |
//   |  my discriminator (4)                                                                                       |
//   |  your discriminator (4)                                                                                     |
//   |  desired min TX interval (4)       |  required min RX interval (4)   |  required min echo RX interval (4)   |
//   |  authentication, where A is set …

/** RFC 5880 section 4.1, Sta. */
export const SessionState = { adminDown: 0, down: 1, init: 2, up: 3 } as const
export type SessionState = (typeof SessionState)[keyof typeof SessionState]

/** Why a session has last changed its state. RFC 5880 section 4.1, Diag: those that this side gives. */
export const Diagnostic = {
  none: 0,
  detectionTimeExpired: 1,
  neighborSignaledDown: 3,
  administrativelyDown: 7,
} as const

export interface ControlPacket {
  readonly state: SessionState
  /** 0 to 31. */
  readonly diagnostic: number
  readonly isPoll: boolean
  readonly isFinal: boolean
  readonly isDemand: boolean
  readonly detectMultiplier: number
  readonly myDiscriminator: number
  /** 0: not known yet. */
  readonly yourDiscriminator: number
  /** Microseconds. */
  readonly desiredMinTx: number
  /** Microseconds; 0: nothing is to be sent periodically. */
  readonly requiredMinRx: number
}

/** Why a packet is dropped, in the order of RFC 5880 section 6.8.6. */
export type Discard =
  | 'cut off'
  | 'version'
  | 'length'
  | 'detect multiplier 0'
  | 'multipoint'
  | 'my discriminator 0'
  | 'your discriminator 0'
  | 'authentication'

const VERSION = 1
const LENGTH = 24

const POLL = 0x20
const FINAL = 0x10
const AUTHENTICATION = 0x04
const DEMAND = 0x02
const MULTIPOINT = 0x01

export function encodeControl(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(LENGTH)
  const view = new DataView(bytes.buffer)
  const { state, isPoll, isFinal, isDemand } = packet
  view.setUint8(0, (VERSION << 5) | packet.diagnostic)
  view.setUint8(1, (state << 6) | (isPoll ? POLL : 0) | (isFinal ? FINAL : 0) | (isDemand ? DEMAND : 0))
  view.setUint8(2, packet.detectMultiplier)
  view.setUint8(3, LENGTH)
  view.setUint32(4, packet.myDiscriminator)
  view.setUint32(8, packet.yourDiscriminator)
  view.setUint32(12, packet.desiredMinTx)
  view.setUint32(16, packet.requiredMinRx)
  return bytes
}

/** What a datagram says, or why nobody may believe it. No session here authenticates, so none may come with authentication. */
export function decodeControl(bytes: Uint8Array): ControlPacket | Discard {
  if (bytes.length < LENGTH) return 'cut off'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = view.getUint8(0)
  const flags = view.getUint8(1)
  const detectMultiplier = view.getUint8(2)
  const length = view.getUint8(3)
  const myDiscriminator = view.getUint32(4)
  const yourDiscriminator = view.getUint32(8)
  const state = stateOf(flags >>> 6)
  if (first >>> 5 !== VERSION) return 'version'
  // With authentication there are two octets more at least.
  if (length < (flags & AUTHENTICATION ? LENGTH + 2 : LENGTH) || length > bytes.length) return 'length'
  if (detectMultiplier === 0) return 'detect multiplier 0'
  if (flags & MULTIPOINT) return 'multipoint'
  if (myDiscriminator === 0) return 'my discriminator 0'
  if (yourDiscriminator === 0 && state > SessionState.down) return 'your discriminator 0'
  if (flags & AUTHENTICATION) return 'authentication'
  return {
    state,
    diagnostic: first & 0x1f,
    isPoll: (flags & POLL) !== 0,
    isFinal: (flags & FINAL) !== 0,
    isDemand: (flags & DEMAND) !== 0,
    detectMultiplier,
    myDiscriminator,
    yourDiscriminator,
    desiredMinTx: view.getUint32(12),
    requiredMinRx: view.getUint32(16),
  }
}

function stateOf(bits: number): SessionState {
  switch (bits) {
    case 0:
      return SessionState.adminDown
    case 1:
      return SessionState.down
    case 2:
      return SessionState.init
    default:
      return SessionState.up
  }
}
