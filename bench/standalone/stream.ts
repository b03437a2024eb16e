// Bytes through a TLS passthrough, without the price of TLS at both ends: what a proxy sees is a ClientHello and then noise.
//   node bench/standalone/stream.ts serve ADDRESS:PORT
//   node bench/standalone/stream.ts load ADDRESS:PORT SERVER-NAME CONNECTIONS MILLISECONDS
// `serve` writes to whoever has sent something, without end. `load` reads it, and prints a line of JSON:
// { requests, errors, seconds }, requests being megabytes (10^6 bytes).
import { connect, createServer, type Socket } from 'node:net'
import process from 'node:process'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

const chunk = Buffer.alloc(256 * 1024, 0x17)

const [mode, target = '', serverName = '', connections = '4', milliseconds = '1000'] = process.argv.slice(2)
const [host = '', port = ''] = target.split(':')

function serve(): void {
  createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => {
      socket.pause()
      pour(socket)
    })
  }).listen(Number(port), host)
}

function pour(socket: Socket): void {
  while (socket.writable) {
    if (!socket.write(chunk)) {
      socket.once('drain', () => pour(socket))
      return
    }
  }
}

/** What a client of `name` says first. */
function clientHello(name: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer) => resolve(bytes),
    })
    connectTls({ socket: wire, servername: name })
  })
}

async function load(): Promise<void> {
  const hello = await clientHello(serverName)
  let bytes = 0
  let errors = 0
  let running = true
  const since = performance.now()
  const sockets = Array.from({ length: Number(connections) }, () => {
    const socket = connect({
      host,
      port: Number(port),
      onread: {
        buffer: Buffer.alloc(chunk.length),
        callback: (length) => {
          bytes += length
          return true
        },
      },
    })
    socket.on('connect', () => socket.write(hello))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (running) errors++
    })
    return socket
  })
  setTimeout(() => {
    const seconds = (performance.now() - since) / 1000
    running = false
    for (const socket of sockets) socket.destroy()
    console.log(JSON.stringify({ requests: bytes / 1e6, errors, seconds }))
  }, Number(milliseconds))
}

if (mode === 'serve') serve()
else await load()
