import { parentPort } from 'node:worker_threads'
import { Speaker } from './speaker.ts'
import type { FromSpeaker, ToSpeaker } from './speaker-messages.ts'
import { interfaceAddresses } from './sys/interfaces.ts'

// The thread of all sessions, which a busy main thread does not hold up.

const tell = (message: FromSpeaker): void => parentPort?.postMessage(message)

const speaker = new Speaker({
  random: Math.random,
  now: Date.now,
  interfaces: interfaceAddresses,
  log: (message) => tell({ type: 'log', message }),
})

parentPort?.on('message', (message: ToSpeaker) => {
  switch (message.type) {
    case 'set':
      speaker.set(message.instances, message.changes)
      break
    case 'ask': {
      const told = message.hasRoutes ? speaker.told() : new Map()
      tell({ type: 'answer', id: message.id, status: { peers: speaker.status(), told } })
      break
    }
    case 'stop':
      speaker.stop(message.text)
      // What is on its way to peers goes out before the thread ends.
      parentPort?.close()
      break
  }
})
