// Replaces processes that share a port one after the other, under as many connections as clients can make, and prints how
// the clients fared as JSON.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'

const handovers = 5
const clients = 16

async function start(port: number) {
  const child = fork(join(import.meta.dirname, 'listen-process.ts'), [`${port}`])
  const [message] = await once(child, 'message')
  return { child, port: message.port }
}

let running = await start(0)
const { port } = running
let served = 0
const failures: Record<string, number> = {}
let isOver = false

/** One request over a connection of its own. */
async function ask(): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  let failure = 'no answer'
  socket.on('data', (bytes) => {
    answer += bytes
  })
  socket.on('error', ({ message }) => {
    failure = message
  })
  socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  if (answer.includes('200 OK')) served++
  else failures[failure] = (failures[failure] ?? 0) + 1
}

const load = Array.from({ length: clients }, async () => {
  while (!isOver) await ask()
})
for (let i = 0; i < handovers; i++) {
  const next = await start(port)
  running.child.send('stop')
  await once(running.child, 'exit')
  running = next
}
isOver = true
await Promise.all(load)
console.log(JSON.stringify({ served, failures }))
running.child.kill()
process.exit()
