// A responder that is told what to do by lines of JSON, and tells what becomes of it. Its words: where owned addresses are put on,
// or nothing.
import process from 'node:process'
import { createInterface } from 'node:readline'
import { parseAddress } from '../bgp-agent/address.ts'
import { defaultTiming } from '../bgp-agent/l2/holding.ts'
import { Responder } from '../bgp-agent/l2/responder.ts'
import { close, send } from '../bgp-agent/sys/libc.ts'
import { packetSocket } from '../bgp-agent/sys/packet-socket.ts'
import type { NodeCommand, NodeEvent } from './l2-node-process.ts'

const tell = (event: NodeEvent): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const responder = new Responder(
  { ownedOn: process.argv[2], timing: defaultTiming },
  {
    log: (message) => tell({ type: 'log', message }),
    conflict: (octets, interfaceName, mac) =>
      tell({ type: 'conflict', address: octets.length === 4 ? octets.join('.') : 'IPv6', interfaceName, mac }),
    failed: (error) => {
      throw error
    },
  },
)

async function obey(command: NodeCommand): Promise<void> {
  switch (command.type) {
    case 'set':
      responder.set(
        command.addresses.map(({ address, interfaces = ['eth0'], isTakenOver = false }) => ({
          octets: parseAddress(address) ?? new Uint8Array(),
          interfaces,
          isTakenOver,
        })),
      )
      break
    case 'status':
      tell({ type: 'status', entries: await responder.status() })
      break
    case 'block': {
      const until = performance.now() + command.milliseconds
      tell({ type: 'log', message: 'stands still' })
      while (performance.now() < until);
      break
    }
    case 'frame': {
      const fd = packetSocket('arp', command.interfaceIndex)
      send(fd, Buffer.from(command.hex, 'hex'))
      close(fd)
      break
    }
    case 'close':
      await responder.close()
      tell({ type: 'log', message: 'closed' })
      break
    case 'exit':
      process.exit(0)
  }
}

createInterface({ input: process.stdin }).on('line', (line) => obey(JSON.parse(line)))
