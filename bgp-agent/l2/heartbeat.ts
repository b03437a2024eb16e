import { createHmac, timingSafeEqual } from 'node:crypto'
import { formatAddress, parseAddress } from '../address.ts'
import { Octets, ShortError, u16, u32 } from '../bgp/octets.ts'
import { formatMac } from './ethernet.ts'
import type { Timing } from './timing.ts'

// The heartbeat, one datagram of UDP to all nodes on a network.
//
//   |  "LFL2" (4)  |  version (1)  |  state (1)  |  lengths: node (1)  |  echoes (1)  |  asked (1)  |  claims (1)  |
//   |  incarnation (8)  |  sequence (4)  |  ready for (4)  |  interval (2)  |  detection (2)  |
//   |  challenge (8)  |  version of the claims (4)  |  page (2)  |  pages (2)  |  MAC (6)  |
//   |  node …  |  echoes (8 each) …  |  asked (8 each) …  |  claims …  |
//   |  HMAC-SHA256 of all before it (32)  |
//
// A claim is the length of its address, 4 or 16, with the highest bit set where a preference (2) stands before the address.

/** `listening`: it answers for nothing yet. `leaving`: nor will it any more. */
export type NodeState = 'listening' | 'ready' | 'leaving'

/** An address that a node may answer for. */
export interface Claim {
  /** As formatAddress writes it. */
  readonly address: string
  /** 0 to 65535. */
  readonly preference: number
}

/** A part of a node's claims. */
export interface ClaimsPage {
  /** Of the whole; it counts up while the node lives. */
  readonly version: number
  readonly page: number
  readonly pages: number
  readonly claims: readonly Claim[]
}

export interface Heartbeat {
  readonly node: string
  readonly state: NodeState
  /** When the node began, in milliseconds since the epoch by its own clock: of two lives the later one counts. */
  readonly incarnation: number
  /** Counts up while the node lives. */
  readonly sequence: number
  /** Milliseconds that it has been ready. */
  readonly readyFor: number
  /** The sender's own. */
  readonly timing: Timing
  /** Of the interface, as formatMac writes it: who sees it claim an address knows that it is no stranger. */
  readonly mac: string
  /** Who hears it is to send it back, so that the sender knows that what it hears is new. */
  readonly challenge: bigint
  /** Challenges that the sender has heard lately. */
  readonly echoes: readonly bigint[]
  /** Of the same, those whose senders it would like to hear at once, with all their pages. */
  readonly asked: readonly bigint[]
  readonly claims: ClaimsPage
}

/** Why a datagram is dropped: it is shorter than any, something else, of another version, of somebody without the key, or not
 *  as it is drawn above. */
export type Discard = 'cut off' | 'foreign' | 'version' | 'signature' | 'form'

/** With these a heartbeat fits into one frame of Ethernet. */
export const maxEchoes = 48
export const maxAsked = 8
const maxNode = 253
/** Octets of one page's claims. */
export const maxPage = 640
export const maxPages = 1024

const magic = [0x4c, 0x46, 0x4c, 0x32] as const
const VERSION = 1
const FIXED = 56
const SIGNATURE = 32
const HAS_PREFERENCE = 0x80
const states = ['listening', 'ready', 'leaving'] as const satisfies readonly NodeState[]

const MAX_INTERVAL = 1000
const MAX_DETECTION = 10_000

/** Octets that a claim takes. */
export const claimLength = ({ address, preference }: Claim): number =>
  1 + (preference === 0 ? 0 : 2) + (address.includes(':') ? 16 : 4)

export function encodeHeartbeat(beat: Heartbeat, key: Uint8Array): Uint8Array {
  const { state, incarnation, sequence, readyFor, timing, challenge, echoes, asked, claims } = beat
  const node = new TextEncoder().encode(beat.node)
  const body = Uint8Array.from([
    ...magic,
    VERSION,
    states.indexOf(state),
    node.length,
    echoes.length,
    asked.length,
    claims.claims.length,
    ...u64(BigInt(incarnation)),
    ...u32(sequence),
    ...u32(Math.min(Math.floor(readyFor), 0xffffffff)),
    ...u16(timing.interval),
    ...u16(timing.detection),
    ...u64(challenge),
    ...u32(claims.version),
    ...u16(claims.page),
    ...u16(claims.pages),
    ...beat.mac.split(':').map((digits) => Number.parseInt(digits, 16)),
    ...node,
    ...echoes.flatMap(u64),
    ...asked.flatMap(u64),
    ...claims.claims.flatMap(claimOctets),
  ])
  const bytes = new Uint8Array(body.length + SIGNATURE)
  bytes.set(body)
  bytes.set(sign(body, key), body.length)
  return bytes
}

/** What a datagram says, when it is signed with one of the keys. */
export function decodeHeartbeat(bytes: Uint8Array, keys: readonly Uint8Array[]): Heartbeat | Discard {
  if (bytes.length < FIXED + SIGNATURE) return 'cut off'
  if (magic.some((octet, index) => bytes[index] !== octet)) return 'foreign'
  if (bytes[4] !== VERSION) return 'version'
  const body = bytes.subarray(0, bytes.length - SIGNATURE)
  const signature = bytes.subarray(body.length)
  if (!keys.some((key) => timingSafeEqual(sign(body, key), signature))) return 'signature'
  return readBody(body)
}

/** What has been signed; whoever has the key may still have written it wrongly. */
export function readBody(body: Uint8Array): Heartbeat | 'form' {
  try {
    return read(new Octets(body)) ?? 'form'
  } catch (error) {
    if (error instanceof ShortError) return 'form'
    throw error
  }
}

function read(octets: Octets): Heartbeat | undefined {
  octets.take(magic.length + 1)
  const state = states[octets.u8()]
  const lengths = { node: octets.u8(), echoes: octets.u8(), asked: octets.u8(), claims: octets.u8() }
  const incarnation = Number(readU64(octets))
  const sequence = octets.u32()
  const readyFor = octets.u32()
  const timing = { interval: octets.u16(), detection: octets.u16() }
  const challenge = readU64(octets)
  const version = octets.u32()
  const page = octets.u16()
  const pages = octets.u16()
  const mac = formatMac(octets.take(6))
  const node = visibleAscii(octets.take(lengths.node))
  if (state === undefined || node === undefined || lengths.node > maxNode) return undefined
  if (lengths.echoes > maxEchoes || lengths.asked > maxAsked) return undefined
  if (!Number.isSafeInteger(incarnation) || page >= pages || pages > maxPages) return undefined
  const isTimely = timing.interval >= 1 && timing.interval <= MAX_INTERVAL && timing.detection <= MAX_DETECTION
  if (!isTimely || timing.detection <= timing.interval) return undefined
  const echoes = Array.from({ length: lengths.echoes }, () => readU64(octets))
  const asked = Array.from({ length: lengths.asked }, () => readU64(octets))
  const claims: Claim[] = []
  while (claims.length < lengths.claims) {
    const claim = readClaim(octets)
    if (claim === undefined) return undefined
    claims.push(claim)
  }
  if (octets.left > 0) return undefined
  return {
    node,
    state,
    incarnation,
    sequence,
    readyFor,
    timing,
    mac,
    challenge,
    echoes,
    asked,
    claims: { version, page, pages, claims },
  }
}

function readClaim(octets: Octets): Claim | undefined {
  const first = octets.u8()
  const length = first & ~HAS_PREFERENCE
  if (length !== 4 && length !== 16) return undefined
  const preference = first & HAS_PREFERENCE ? octets.u16() : 0
  return { address: formatAddress(octets.take(length)), preference }
}

function claimOctets({ address, preference }: Claim): readonly number[] {
  const octets = parseAddress(address) ?? new Uint8Array(4)
  if (preference === 0) return [octets.length, ...octets]
  return [octets.length | HAS_PREFERENCE, ...u16(Math.min(preference, 0xffff)), ...octets]
}

const sign = (body: Uint8Array, key: Uint8Array): Uint8Array => createHmac('sha256', key).update(body).digest()

const u64 = (value: bigint): readonly number[] => [...u32(Number(value >> 32n)), ...u32(Number(value & 0xffffffffn))]
const readU64 = (octets: Octets): bigint => (BigInt(octets.u32()) << 32n) | BigInt(octets.u32())

/** Names of nodes have no other characters, and go into logs and terminals. undefined for none. */
function visibleAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.some((octet) => octet <= 0x20 || octet >= 0x7f)) return undefined
  return String.fromCharCode(...bytes)
}
