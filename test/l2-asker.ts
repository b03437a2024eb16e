// Asks for an address again and again, and writes when which MAC answers: "1764000000000.25 02:00:00:00:00:01". Its words: the index
// of the interface, the MAC and the address that ask, and the address that is asked for.
import process from 'node:process'
import { parseAddress } from '../bgp-agent/address.ts'
import { ArpOperation, decodeArp, encodeArp } from '../bgp-agent/l2/arp.ts'
import { broadcast, decodeEthernet, EtherType, encodeEthernet, formatMac } from '../bgp-agent/l2/ethernet.ts'
import { receive, send } from '../bgp-agent/sys/libc.ts'
import { packetSocket } from '../bgp-agent/sys/packet-socket.ts'

/** Milliseconds between two requests. */
const pace = 5

const [index = '', mac = '', from = '', asked = ''] = process.argv.slice(2)
const octetsOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array()
const senderMac = new Uint8Array(Buffer.from(mac.replaceAll(':', ''), 'hex'))
const targetAddress = octetsOf(asked)
const request = encodeEthernet({
  destination: broadcast,
  source: senderMac,
  etherType: EtherType.arp,
  payload: encodeArp({
    operation: ArpOperation.request,
    senderMac,
    senderAddress: octetsOf(from),
    targetMac: new Uint8Array(6),
    targetAddress,
  }),
})

const fd = packetSocket('arp', Number(index))
const buffer = new Uint8Array(2048)

function hear(bytes: Uint8Array): void {
  const frame = decodeEthernet(bytes)
  const packet = frame?.etherType === EtherType.arp ? decodeArp(frame.payload) : 'none'
  if (typeof packet === 'string' || packet.operation !== ArpOperation.reply) return
  if (Buffer.compare(packet.senderAddress, targetAddress) !== 0) return
  process.stdout.write(`${performance.timeOrigin + performance.now()} ${formatMac(packet.senderMac)}\n`)
}

setInterval(() => {
  for (let length = receive(fd, buffer); length !== undefined; length = receive(fd, buffer))
    hear(buffer.subarray(0, length))
  send(fd, request)
}, pace)
