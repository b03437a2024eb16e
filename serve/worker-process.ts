// One process of a WorkerPool: forked with PlaneOptions as JSON, serves what it is sent.
import process from 'node:process'
import { createPlane } from './own-plane.ts'
import type { Order, Reply } from './worker-pool.ts'

const plane = createPlane(JSON.parse(process.argv[2] ?? '{}'))

// The pool says when to stop. A signal from a terminal reaches every process of the group.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => plane.close(0).finally(() => process.exit()))

process.on('message', async (order: Order) => {
  const reply = (value: unknown): void => {
    const message: Reply = { id: order.id, value }
    process.send?.(message)
  }
  switch (order.type) {
    case 'apply':
      return reply(await plane.apply(order.feed))
    case 'metrics':
      return reply((await plane.metrics())[0])
    case 'close':
      return reply(await plane.close(order.grace))
  }
})
