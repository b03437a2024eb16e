import { randomBytes } from 'node:crypto'
import { constants, setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Announcer } from './announcer.ts'
import { HeartbeatSocket } from './heartbeat-socket.ts'
import { defaultTiming } from './holding.ts'
import type { FromThread, ThreadData, ToThread } from './messages.ts'
import { Responder } from './responder.ts'

// The thread of heartbeats and elections, which a busy main thread does not hold up; the one that answers is its own.

if (parentPort === null) throw new Error('this is no thread')
announce(parentPort, workerData)

function announce(port: MessagePort, { node, ownedOn }: ThreadData): void {
  try {
    // Of this thread alone, as Linux has it: on a busy machine a late heartbeat is a dead node.
    setPriority(constants.priority.PRIORITY_HIGH)
  } catch {
    // It takes CAP_SYS_NICE, which an agent may be without.
  }
  const tell = (message: FromThread): void => port.postMessage(message)
  const log = (message: string): void => tell({ type: 'log', message })
  const responder = new Responder(
    { ownedOn, timing: defaultTiming },
    {
      log,
      conflict: (octets, interfaceName, mac) => {
        announcer.conflict(octets, interfaceName, mac)
        schedule()
      },
      failed: (error) => {
        throw error
      },
    },
  )
  let timer: NodeJS.Timeout | undefined
  const announcer = new Announcer(node, {
    responder,
    now: () => performance.now(),
    epoch: () => Date.now(),
    random: () => randomBytes(8).readBigUInt64BE(),
    open: (interfaceName, received) => new HeartbeatSocket(interfaceName, received),
    log,
    wake: run,
  })

  function run(): void {
    announcer.run()
    schedule()
  }

  function schedule(): void {
    clearTimeout(timer)
    const wait = announcer.due - performance.now()
    if (wait < Number.POSITIVE_INFINITY) timer = setTimeout(run, Math.max(0, Math.ceil(wait)))
  }

  port.on('message', async (message: ToThread) => {
    switch (message.type) {
      case 'set':
        announcer.set(message.plan)
        schedule()
        break
      case 'ask': {
        const answers = await responder.status()
        tell({ type: 'answer', id: message.id, status: { networks: announcer.status(), answers } })
        break
      }
      case 'stop':
        clearTimeout(timer)
        announcer.leave()
        await responder.close()
        port.close()
        break
    }
  })
}
