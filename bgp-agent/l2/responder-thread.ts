import { readSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { setRealTime } from '../sys/libc.ts'
import { Answering } from './answering.ts'
import type { FromResponder, ResponderData, ToResponder } from './responder-messages.ts'

// The thread that answers. It waits in poll(2) and has no event loop: a message is looked for when the descriptor beside it says
// that there is one.

if (parentPort === null) throw new Error('this is no thread')
answer(parentPort, workerData)

function answer(port: MessagePort, { settings, wake, ended }: ResponderData): void {
  goFirst()
  const tell = (message: FromResponder): void => port.postMessage(message)
  const answering = new Answering(settings, wake, tell, performance, Math.random)
  try {
    const count = new Uint8Array(8)
    for (;;) {
      if (!answering.wait()) continue
      readSync(wake, count)
      for (;;) {
        const message: ToResponder | undefined = receiveMessageOnPort(port)?.message
        if (message === undefined) break
        if (message.type === 'close') return
        if (message.type === 'set') answering.set(message.whole)
        else tell({ type: 'status', id: message.id, entries: answering.entries() })
      }
    }
  } finally {
    answering.close()
    Atomics.store(ended, 0, 1)
    Atomics.notify(ended, 0)
  }
}

/** Whoever asks waits for the answer, and a thread with a better nice value alone waits milliseconds for a busy core. Of this
 *  thread alone, as Linux has it. */
function goFirst(): void {
  for (const go of [() => setRealTime(1), () => setPriority(constants.priority.PRIORITY_HIGH)])
    try {
      go()
      return
    } catch {
      // It takes CAP_SYS_NICE, which an agent may be without, and a container may have no real time.
    }
}
