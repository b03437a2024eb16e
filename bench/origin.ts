// The origin of the benches, as a process of its own: node bench/origin.ts ADDRESS:PORT
// Answers every HTTP/1.1 request without a body with the same small response, as cheaply as Node can.
import { createServer } from 'node:net'

const [target = ''] = process.argv.slice(2)
const colon = target.lastIndexOf(':')
const body = '{"message":"a small body, as an API would send it"}'
const response = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nserver: bench\r\ncache-control: no-store\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
)
const headEnd = Buffer.from('\r\n\r\n')

createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(headEnd); at !== -1; at = chunk.indexOf(headEnd, at + 4)) socket.write(response)
  })
}).listen(Number(target.slice(colon + 1)), target.slice(0, colon), () => console.log('listening'))
