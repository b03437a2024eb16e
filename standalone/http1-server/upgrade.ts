import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { endToEnd, type RawHeaders, written } from '../raw-headers.ts'

/** An origin that has agreed to an upgrade, as ResponseSink.upgraded is told. */
export interface Agreement {
  readonly reason: string
  readonly headers: RawHeaders
  readonly socket: Duplex
  readonly rest: Buffer
}

/** Times in milliseconds. */
export interface TunnelLimits {
  /** Without a byte either way. */
  readonly tunnelIdleTimeout: number
  /** How long before the client hears of the origin's end behind its last byte. */
  readonly tunnelEndDelay: number
}

/** Bytes of a client that are read before its upgrade is answered; more stay with the kernel. */
const earlyBytes = 65_536

/** Watches a client that waits for its upgrade, and destroys its socket when it leaves. The result ends that, and returns
 *  what the client sent meanwhile. */
export function watchUpgrade(client: Socket): () => Buffer {
  const early: Buffer[] = []
  let length = 0
  const keep = (bytes: Buffer) => {
    early.push(bytes)
    length += bytes.length
    if (length >= earlyBytes) client.pause()
  }
  const leave = () => client.destroy()
  client.on('data', keep)
  client.on('end', leave)
  return () => {
    client.off('data', keep)
    client.off('end', leave)
    return Buffer.concat(early)
  }
}

/** Answers a client's upgrade with the origin's 101 and joins the two until either ends. `early` is what the client sent
 *  behind its request. */
export function openTunnel(client: Socket, early: Buffer, answer: Agreement, limits: TunnelLimits): void {
  client.setTimeout(limits.tunnelIdleTimeout, () => client.destroy())
  client.setKeepAlive(true, 60_000)
  client.write(switchingProtocols(answer.reason, answer.headers), 'latin1')
  // On Deno, what comes behind a write of no bytes may never be written.
  if (answer.rest.length > 0) client.write(answer.rest)
  if (early.length > 0) answer.socket.write(early)
  client.pipe(answer.socket, { end: false })
  answer.socket.pipe(client, { end: false })
  closeWith(client, answer.socket, 0)
  closeWith(answer.socket, client, limits.tunnelEndDelay)
}

/** Once `one` has ended, `other` gets what it still gave, and both close: WebSocket has no use for half a connection. */
function closeWith(one: Duplex, other: Duplex, delay: number): void {
  const close = () => {
    other.end(() => {
      one.destroy()
      other.destroy()
    })
  }
  const closeSoon = delay === 0 ? close : () => setTimeout(close, delay)
  // 'close' follows.
  one.on('error', () => {})
  one.on('end', closeSoon)
  one.on('close', closeSoon)
}

/** RFC 9110 section 15.2.2. */
function switchingProtocols(reason: string, headers: RawHeaders): string {
  const lines = ['Connection', 'Upgrade', 'Upgrade', 'websocket', ...endToEnd(headers, noBody)]
  return `HTTP/1.1 101 ${reason}\r\n${written(lines)}\r\n`
}

const noBody: ReadonlySet<string> = new Set(['content-length'])
