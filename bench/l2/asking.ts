// Sends ARP requests, one after the other, and writes the milliseconds to each answer as JSON. Its words: the index of the
// interface, the MAC and the address that ask, the address that is asked for, how many requests, and milliseconds between two.
import process from 'node:process'
import { parseAddress } from '../../bgp-agent/address.ts'
import { ArpOperation, decodeArp, encodeArp } from '../../bgp-agent/l2/arp.ts'
import { broadcast, decodeEthernet, EtherType, encodeEthernet } from '../../bgp-agent/l2/ethernet.ts'
import { receive, send, setRealTime } from '../../bgp-agent/sys/libc.ts'
import { packetSocket } from '../../bgp-agent/sys/packet-socket.ts'
import { Poll } from '../../bgp-agent/sys/poll.ts'

/** Milliseconds until a request is lost. */
const patience = 100

const [index = '', mac = '', from = '', asked = '', count = '', pace = ''] = process.argv.slice(2)
const octetsOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array()
const source = new Uint8Array(Buffer.from(mac.replaceAll(':', ''), 'hex'))
const targetAddress = octetsOf(asked)
const request = encodeEthernet({
  destination: broadcast,
  source,
  etherType: EtherType.arp,
  payload: encodeArp({
    operation: ArpOperation.request,
    senderMac: source,
    senderAddress: octetsOf(from),
    targetMac: new Uint8Array(6),
    targetAddress,
  }),
})

// What is measured is the other side: this one is not to wait for a core.
setRealTime(1)
const fd = packetSocket('arp', Number(index))
const poll = new Poll([fd])
const buffer = new Uint8Array(2048)
const pause = new Int32Array(new SharedArrayBuffer(4))

/** Milliseconds; undefined: no answer came. */
function ask(): number | undefined {
  const start = performance.now()
  send(fd, request)
  while (performance.now() - start < patience) {
    if (poll.wait(patience).length === 0) continue
    const end = performance.now()
    for (let length = receive(fd, buffer); length !== undefined; length = receive(fd, buffer))
      if (isAnswer(buffer.subarray(0, length))) return end - start
  }
  return undefined
}

function isAnswer(bytes: Uint8Array): boolean {
  const frame = decodeEthernet(bytes)
  if (frame?.etherType !== EtherType.arp) return false
  const packet = decodeArp(frame.payload)
  if (typeof packet === 'string' || packet.operation !== ArpOperation.reply) return false
  return Buffer.compare(packet.senderAddress, targetAddress) === 0
}

const times: (number | undefined)[] = []
for (let i = 0; i < Number(count); i++) {
  times.push(ask())
  Atomics.wait(pause, 0, 0, Number(pace))
}
process.stdout.write(JSON.stringify(times.filter((time) => time !== undefined)))
