// An origin as a process of its own, for tests that stop and start it: node test/serve-load-origin.ts ADDRESS PORT. Answers with
// its address. At SIGTERM it answers what it has, tells clients to go, and ends.
import { createServer } from 'node:http'
import process from 'node:process'

const [address = '', port = ''] = process.argv.slice(2)
let isStopping = false
const server = createServer((request, response) => {
  if (isStopping) response.setHeader('connection', 'close')
  // A body is waited for, so that nobody is answered early.
  request.resume().on('end', () => response.end(`from ${address}\n`))
})
// Longer than gateways keep a connection, as origins behind gateways should.
server.keepAliveTimeout = 60_000
server.listen(Number(port), address, () => process.send?.('listening'))

process.on('SIGTERM', () => {
  isStopping = true
  server.close(() => process.exit())
  setInterval(() => server.closeIdleConnections(), 50)
})
// Whoever started it is gone.
process.on('disconnect', () => process.exit())
