import { mkdirSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { BgpError } from '../bgp-agent/bgp/error.ts'
import { HEADER_LENGTH, MessageReader, MessageType } from '../bgp-agent/bgp/message.ts'
import { decodeNotification } from '../bgp-agent/bgp/notification.ts'
import { decodeOpen } from '../bgp-agent/bgp/open.ts'
import { decodeRouteRefresh } from '../bgp-agent/bgp/route-refresh.ts'
import { type Dialect, decodeUpdate, type Update } from '../bgp-agent/bgp/update-decode.ts'
import { keptCrashes, mutated, numbers, recordedSessions } from './bgp-fuzz-inputs.ts'

// What BIRD, FRR and GoBGP have sent in sessions, with changes, to the decoders. For longer runs:
//
//   BGP_FUZZ=5000000 BGP_FUZZ_SEED=2 npx vitest run --project node test/bgp-fuzz.test.ts
//
// What throws anything but a BgpError is written into test/corpus/bgp/crashes, and tried again in each run from then on.

const count = Number(process.env.BGP_FUZZ ?? 300_000)
const seed = Number(process.env.BGP_FUZZ_SEED ?? 1)

/** Milliseconds for one message, which take none: what takes longer hangs. */
const patience = 1_000

const dialects: readonly Dialect[] = [
  { isInternal: false, fourOctetAs: true },
  { isInternal: true, fourOctetAs: true },
  { isInternal: false, fourOctetAs: false },
]

/** Decodes all messages of a stream. Throws what is no BgpError, and where more comes out than there can be in the bytes. */
function read(bytes: Uint8Array, dialect: Dialect, isExtended: boolean): 'good' | 'treated' | 'refused' {
  const reader = new MessageReader()
  if (isExtended) reader.extend()
  let verdict: 'good' | 'treated' = 'good'
  try {
    for (const { type, body } of reader.read(bytes)) {
      if (type === MessageType.open) decodeOpen(body)
      else if (type === MessageType.notification) decodeNotification(body)
      else if (type === MessageType.routeRefresh) decodeRouteRefresh(body)
      else if (type === MessageType.update && isTreated(decodeUpdate(body, dialect), body)) verdict = 'treated'
    }
    return verdict
  } catch (error) {
    if (!(error instanceof BgpError)) throw error
    return 'refused'
  }
}

/** Whether RFC 7606 has done something to it. */
function isTreated({ announced, withdrawn, faults }: Update, body: Uint8Array): boolean {
  const prefixes = [...announced, ...withdrawn].reduce((sum, { prefixes }) => sum + prefixes.length, 0)
  if (prefixes + faults.length > body.length) throw new Error(`${prefixes} prefixes from ${body.length} octets`)
  return faults.length > 0
}

test('each daemon has sent all of its kinds of messages', () => {
  const sessions = recordedSessions()
  expect([...sessions.keys()]).toEqual(['bird', 'frr', 'gobgp'])
  for (const messages of sessions.values())
    expect(new Set(messages.map((bytes) => bytes[HEADER_LENGTH - 1]))).toEqual(
      new Set([MessageType.open, MessageType.update, MessageType.keepalive, MessageType.notification]),
    )
})

test(`${count} changed messages of daemons crash nothing, and give no more than they have`, {
  timeout: 120_000 + count / 10,
}, () => {
  const messages = [...recordedSessions().values()].flat()
  const random = numbers(seed)
  const verdicts = { good: 0, treated: 0, refused: 0 }
  for (let at = 0; at < count; at++) {
    const bytes = mutated(messages, random)
    const dialect = dialects[random(dialects.length)] ?? { isInternal: false, fourOctetAs: true }
    const since = performance.now()
    try {
      verdicts[read(bytes, dialect, random(2) === 0)]++
      if (performance.now() - since > patience) throw new Error(`it takes ${performance.now() - since} ms`)
    } catch (error) {
      mkdirSync('test/corpus/bgp/crashes', { recursive: true })
      writeFileSync(`test/corpus/bgp/crashes/${seed}-${at}.bin`, bytes)
      throw error
    }
  }
  // Otherwise the inputs have become too odd, or too plain, to say anything.
  for (const verdict of ['good', 'treated', 'refused'] as const) expect(verdicts[verdict]).toBeGreaterThan(count / 25)
})

test('what once did harm does none', () => {
  for (const [name, bytes] of keptCrashes())
    for (const dialect of dialects) expect(['good', 'treated', 'refused'], name).toContain(read(bytes, dialect, true))
})
