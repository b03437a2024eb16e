import { randomInt } from 'node:crypto'
import { constants, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { LiveSession } from './live-session.ts'
import type { FromThread, SessionId, ToThread } from './messages.ts'
import type { Timers } from './session.ts'
import { type BfdPath, Transport } from './transport.ts'

// The thread of all sessions, which a busy main thread does not hold up.

try {
  // Of this thread alone, as Linux has it: 50 ms are soon over on a machine that has much to do.
  setPriority(constants.priority.PRIORITY_HIGH)
} catch {
  // It takes CAP_SYS_NICE, which an agent may be without.
}

const transport = new Transport(Math.random)
const sessions = new Map<SessionId, LiveSession>()
const discriminators = new Map<SessionId, number>()

parentPort?.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'add':
      add(message.id, message.path, message.timers)
      break
    case 'update':
      sessions.get(message.id)?.set(message.timers)
      break
    case 'remove':
      remove(message.id)
      break
    case 'close':
      for (const id of sessions.keys()) remove(id)
      parentPort?.close()
      break
  }
})

function add(id: SessionId, path: BfdPath, timers: Timers): void {
  const discriminator = freeDiscriminator()
  const session = new LiveSession(discriminator, timers, {
    changed: (change) => tell({ type: 'changed', id, ...change }),
    failed: (reason) => tell({ type: 'failed', id, reason }),
    random: Math.random,
  })
  sessions.set(id, session)
  discriminators.set(id, discriminator)
  session.start(transport, path)
}

function remove(id: SessionId): void {
  sessions.get(id)?.end()
  sessions.delete(id)
  discriminators.delete(id)
}

/** Not to be guessed by those who would say that a peer is down. RFC 5880 section 10. */
function freeDiscriminator(): number {
  const taken = new Set(discriminators.values())
  for (;;) {
    const discriminator = randomInt(1, 2 ** 32)
    if (!taken.has(discriminator)) return discriminator
  }
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message)
}
