// One process of a WorkerPool: serves what it is sent.
import process from 'node:process'
import { createPlane } from './own-plane.ts'
import type { Plane } from './plane.ts'
import { leavingGrace, type Message, type Order } from './worker-orders.ts'

let plane: Plane | undefined
let isClosing = false

const say = (message: Message): void => {
  if (process.connected) process.send?.(message)
}

/** What the order comes to. */
async function obey(order: Order): Promise<unknown> {
  switch (order.type) {
    case 'start':
      plane = createPlane(order.options)
      return undefined
    case 'apply':
      return plane?.apply(order.feed)
    case 'metrics':
      return (await plane?.metrics())?.[0]
    case 'close':
      isClosing = true
      return plane?.close(order.grace)
  }
}

process.on('message', async (order: Order) => say({ type: 'reply', id: order.id, value: await obey(order) }))

// A signal from a terminal reaches every process of the group: the pool says what comes of it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => say({ type: 'leaving' }))
// The pool is done with this process, or waits no longer, or was killed.
process.on('disconnect', async () => {
  if (!isClosing) await plane?.close(leavingGrace)
  process.exit()
})
