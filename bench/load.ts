// Load for an HTTP/1.1 server, as a process of its own: node bench/load.ts ADDRESS:PORT CONNECTIONS MILLISECONDS < REQUESTS
// REQUESTS: whole requests without bodies, separated by NUL; each connection sends them in turn, from a place of its own.
// Prints one line of JSON: { requests, errors, seconds }. Responses need a Content-Length.
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

const [target = '', connections = '32', milliseconds = '1000'] = process.argv.slice(2)
const colon = target.lastIndexOf(':')
const host = target.slice(0, colon)
const port = Number(target.slice(colon + 1))
const requests = (await text(process.stdin)).split('\0').map((each) => Buffer.from(each, 'latin1'))

let answered = 0
let errors = 0
let running = true
const headEnd = Buffer.from('\r\n\r\n')

function run(start: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    let at = start
    let left = Buffer.alloc(0)
    const send = (): void => {
      if (!running) socket.destroy()
      else socket.write(requests[at++ % requests.length] ?? headEnd)
    }
    socket.setNoDelay(true)
    socket.on('connect', send)
    socket.on('data', (chunk) => {
      const bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk])
      const end = bytes.indexOf(headEnd)
      const head = end === -1 ? undefined : bytes.toString('latin1', 0, end)
      const length = head === undefined ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
      if (Number.isNaN(length)) throw new Error(`a response without Content-Length:\n${head}`)
      if (head === undefined || bytes.length < end + 4 + length) {
        left = bytes
        return
      }
      left = Buffer.alloc(0)
      if (/^HTTP\/1.1 [23]/.test(head)) answered++
      else errors++
      send()
    })
    socket.on('error', () => errors++)
    socket.on('close', () => resolve())
  })
}

const since = performance.now()
setTimeout(() => {
  running = false
}, Number(milliseconds))
await Promise.all(
  Array.from({ length: Number(connections) }, (_, index) =>
    run(Math.floor((index * requests.length) / Number(connections))),
  ),
)
console.log(JSON.stringify({ requests: answered, errors, seconds: (performance.now() - since) / 1000 }))
