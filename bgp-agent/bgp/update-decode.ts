// The UPDATE message, read: which prefixes it brings and takes, and what RFC 7606 makes of its faults. No route of a peer is
// ever used here, so attributes are looked at only as far as that decides.
import type { FamilyName } from '../address.ts'
import { AttributeFlag, AttributeType } from './attributes.ts'
import { BgpError, ErrorCode, UpdateError } from './error.ts'
import { familyOf } from './family.ts'
import { Octets, ShortError } from './octets.ts'
import { splitNlri } from './prefix.ts'

/** Prefixes as splitNlri gives them. */
export interface Prefixes {
  readonly family: FamilyName
  readonly prefixes: readonly Uint8Array[]
}

export interface Update {
  readonly announced: readonly Prefixes[]
  readonly withdrawn: readonly Prefixes[]
  /** The family whose routes have all been sent, where that is all it says. RFC 4724 section 2. */
  readonly endOfRib: FamilyName | undefined
  /** What was wrong with attributes, and did not end the session. */
  readonly faults: readonly string[]
}

/** How the peer speaks. */
export interface Dialect {
  readonly isInternal: boolean
  readonly fourOctetAs: boolean
}

/** Throws BgpError for what cannot be told apart; else what is malformed is taken for withdrawn, or passed over. */
export function decodeUpdate(body: Uint8Array, dialect: Dialect): Update {
  const octets = new Octets(body)
  const withdrawnOctets = sized(octets)
  const attributes = readAttributes(sized(octets), dialect)
  const withdrawn = [...found('ipv4', withdrawnOctets), ...attributes.withdrawn]
  const plain = found('ipv4', octets.rest())
  const announced = [...plain, ...attributes.announced]
  if (body.length === 4) return { announced: [], withdrawn: [], endOfRib: 'ipv4', faults: [] }
  if (attributes.endOfRib !== undefined && withdrawn.length === 0 && announced.length === 0)
    return { announced: [], withdrawn: [], endOfRib: attributes.endOfRib, faults: attributes.faults }
  const missing = announced.length === 0 ? [] : missingAttributes(attributes.types, plain.length > 0, dialect)
  const faults = [...attributes.faults, ...missing]
  return attributes.isWithdrawn || missing.length > 0
    ? { announced: [], withdrawn: [...withdrawn, ...announced], endOfRib: undefined, faults }
    : { announced, withdrawn, endOfRib: undefined, faults }
}

/** RFC 7606 section 3 (j): where prefixes end cannot be known any more. */
function sized(octets: Octets): Uint8Array {
  try {
    return octets.take(octets.u16())
  } catch (error) {
    if (!(error instanceof ShortError)) throw error
    throw new BgpError(ErrorCode.update, UpdateError.malformedAttributes, `malformed UPDATE: ${error.message}`)
  }
}

function found(family: FamilyName, bytes: Uint8Array): readonly Prefixes[] {
  const prefixes = splitNlri(bytes, family)
  if (prefixes === undefined)
    throw new BgpError(ErrorCode.update, UpdateError.invalidNetwork, `malformed ${family} prefixes`)
  return prefixes.length === 0 ? [] : [{ family, prefixes }]
}

interface Attributes {
  readonly announced: readonly Prefixes[]
  readonly withdrawn: readonly Prefixes[]
  readonly endOfRib: FamilyName | undefined
  readonly types: ReadonlySet<number>
  /** Whether a fault takes the announced prefixes for withdrawn. */
  readonly isWithdrawn: boolean
  readonly faults: readonly string[]
}

function readAttributes(bytes: Uint8Array, dialect: Dialect): Attributes {
  const octets = new Octets(bytes)
  const types = new Set<number>()
  const announced: Prefixes[] = []
  const withdrawn: Prefixes[] = []
  const faults: string[] = []
  let endOfRib: FamilyName | undefined
  let isWithdrawn = false
  while (octets.left > 0) {
    const attribute = readAttribute(octets)
    if (attribute === undefined) {
      // RFC 7606 section 4: the prefixes behind the attributes can still be found.
      faults.push('the attributes end in the middle of one')
      isWithdrawn = true
      break
    }
    const { type, flags, value } = attribute
    const isMultiprotocol = type === AttributeType.mpReach || type === AttributeType.mpUnreach
    if (types.has(type)) {
      if (isMultiprotocol)
        throw new BgpError(ErrorCode.update, UpdateError.malformedAttributes, `attribute ${type} twice`)
      continue
    }
    types.add(type)
    if (isMultiprotocol) {
      const read = type === AttributeType.mpReach ? readMpReach(value) : readMpUnreach(value)
      if (type === AttributeType.mpReach) announced.push(...read.prefixes)
      else if (read.prefixes.length > 0) withdrawn.push(...read.prefixes)
      else endOfRib = read.family
    }
    const fault = faultOf(type, flags, value, dialect)
    if (fault === undefined) continue
    faults.push(`attribute ${type}: ${fault.message}`)
    isWithdrawn ||= fault.treatment === 'withdraw'
  }
  return { announced, withdrawn, endOfRib, types, isWithdrawn, faults }
}

interface Attribute {
  readonly type: number
  readonly flags: number
  readonly value: Uint8Array
}

function readAttribute(octets: Octets): Attribute | undefined {
  try {
    const flags = octets.u8()
    const type = octets.u8()
    return { type, flags, value: octets.take(flags & AttributeFlag.extendedLength ? octets.u16() : octets.u8()) }
  } catch (error) {
    if (error instanceof ShortError) return undefined
    throw error
  }
}

interface Multiprotocol {
  readonly family: FamilyName | undefined
  readonly prefixes: readonly Prefixes[]
}

/** RFC 7606 section 7.11: prefixes that cannot be found end the session. */
function readMpReach(value: Uint8Array): Multiprotocol {
  return multiprotocol(AttributeType.mpReach, value, (octets, family) => {
    const length = octets.u8()
    octets.take(length)
    octets.u8()
    const lengths = family === 'ipv4' ? [4, 16, 32] : [16, 32]
    if (family !== undefined && !lengths.includes(length)) throw new ShortError(`a next hop of ${length} octets`)
  })
}

const readMpUnreach = (value: Uint8Array): Multiprotocol => multiprotocol(AttributeType.mpUnreach, value, () => {})

function multiprotocol(
  type: number,
  value: Uint8Array,
  readHead: (octets: Octets, family: FamilyName | undefined) => void,
): Multiprotocol {
  try {
    const octets = new Octets(value)
    const family = familyOf(octets.u16(), octets.u8())
    readHead(octets, family)
    return { family, prefixes: family === undefined ? [] : found(family, octets.rest()) }
  } catch (error) {
    if (!(error instanceof ShortError)) throw error
    const message = `attribute ${type}: ${error.message}`
    throw new BgpError(ErrorCode.update, UpdateError.optionalAttribute, message, value.slice())
  }
}

interface Fault {
  readonly treatment: 'withdraw' | 'discard'
  readonly message: string
}

interface Rule {
  /** What the flags optional and transitive have to be. */
  readonly flags: number
  /** Whether the value is well-formed. */
  readonly isGood: (value: Uint8Array, dialect: Dialect) => boolean
  readonly treatment: Fault['treatment']
  /** From another AS it is passed over, whatever it says. */
  readonly isInternal?: true
}

const { optional, transitive } = AttributeFlag
const length = (octets: number) => (value: Uint8Array) => value.length === octets
const severalOf = (octets: number) => (value: Uint8Array) => value.length > 0 && value.length % octets === 0

/** RFC 7606 section 7, in its order; large communities from RFC 8092 section 6, only-to-customer from RFC 9234 section 5. */
const rules: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [1, { flags: transitive, isGood: (value) => value.length === 1 && (value[0] ?? 3) <= 2, treatment: 'withdraw' }],
  [2, { flags: transitive, isGood: isPath, treatment: 'withdraw' }],
  [3, { flags: transitive, isGood: length(4), treatment: 'withdraw' }],
  [4, { flags: optional, isGood: length(4), treatment: 'withdraw' }],
  [5, { flags: transitive, isGood: length(4), treatment: 'withdraw', isInternal: true }],
  [6, { flags: transitive, isGood: length(0), treatment: 'discard' }],
  [
    7,
    {
      flags: optional | transitive,
      isGood: (value, { fourOctetAs }) => value.length === (fourOctetAs ? 8 : 6),
      treatment: 'discard',
    },
  ],
  [8, { flags: optional | transitive, isGood: severalOf(4), treatment: 'withdraw' }],
  [9, { flags: optional, isGood: length(4), treatment: 'withdraw', isInternal: true }],
  [10, { flags: optional, isGood: severalOf(4), treatment: 'withdraw', isInternal: true }],
  [14, { flags: optional, isGood: () => true, treatment: 'withdraw' }],
  [15, { flags: optional, isGood: () => true, treatment: 'withdraw' }],
  [17, { flags: optional | transitive, isGood: (value) => isPath(value, { fourOctetAs: true }), treatment: 'discard' }],
  [18, { flags: optional | transitive, isGood: length(8), treatment: 'discard' }],
  [32, { flags: optional | transitive, isGood: severalOf(12), treatment: 'withdraw' }],
  [35, { flags: optional | transitive, isGood: length(4), treatment: 'withdraw' }],
])

function faultOf(type: number, flags: number, value: Uint8Array, dialect: Dialect): Fault | undefined {
  const rule = rules.get(type)
  if (rule === undefined) {
    if (flags & optional) return undefined
    const message = `attribute ${type} is said to be well-known`
    throw new BgpError(ErrorCode.update, UpdateError.unrecognizedWellKnown, message)
  }
  if (rule.isInternal && !dialect.isInternal) return { treatment: 'discard', message: 'not for another AS' }
  if ((flags & (optional | transitive)) !== rule.flags) return { treatment: 'withdraw', message: `flags ${flags}` }
  return rule.isGood(value, dialect) ? undefined : { treatment: rule.treatment, message: 'malformed' }
}

/** Segments of a known kind, none empty, that fill the value. RFC 7606 section 7.2. */
function isPath(value: Uint8Array, { fourOctetAs }: Pick<Dialect, 'fourOctetAs'>): boolean {
  const size = fourOctetAs ? 4 : 2
  let at = 0
  while (at < value.length) {
    const [kind = 0, count = 0] = value.subarray(at, at + 2)
    if (kind < 1 || kind > 4 || count === 0) return false
    at += 2 + count * size
  }
  return at === value.length
}

/** RFC 7606 section 3 (d). NEXT_HOP only stands for prefixes outside MP_REACH_NLRI. */
function missingAttributes(types: ReadonlySet<number>, hasPlain: boolean, { isInternal }: Dialect): readonly string[] {
  const wanted = [
    AttributeType.origin,
    AttributeType.asPath,
    ...(hasPlain ? [AttributeType.nextHop] : []),
    ...(isInternal ? [AttributeType.localPreference] : []),
  ]
  return wanted.filter((type) => !types.has(type)).map((type) => `attribute ${type} is missing`)
}
