// Load for HTTP/1.1 servers, as a process of its own: fork it, send it Slices, and it answers each with a Tally. Connections
// stay open from one slice to the next. Responses need a Content-Length.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import process from 'node:process'

/** Load on one server for a while. */
export interface Slice {
  /** ADDRESS:PORT */
  readonly address: string
  readonly milliseconds: number
  /** Whole requests without bodies; each connection sends them in turn, from a place of its own. */
  readonly requests: readonly string[]
}

export interface Tally {
  readonly answered: number
  readonly errors: number
  readonly seconds: number
}

const connections = 32
const headEnd = Buffer.from('\r\n\r\n')

/** One connection, with one request at a time. */
class Client {
  readonly #socket: Socket
  #left: Buffer = Buffer.alloc(0)
  #answered = (_isSuccess: boolean): void => {}

  constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('close', () => this.#answered(false))
    socket.on('error', () => undefined)
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  close(): void {
    this.#socket.destroy()
  }

  send(request: Buffer, answered: (isSuccess: boolean) => void): void {
    this.#answered = answered
    this.#socket.write(request)
  }

  #take(chunk: Buffer): void {
    const bytes = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk])
    const end = bytes.indexOf(headEnd)
    const head = end === -1 ? undefined : bytes.toString('latin1', 0, end)
    const length = head === undefined ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) throw new Error(`a response without Content-Length:\n${head}`)
    if (head === undefined || bytes.length < end + 4 + length) {
      this.#left = bytes
      return
    }
    this.#left = Buffer.alloc(0)
    this.#answered(/^HTTP\/1.1 [23]/.test(head))
  }
}

async function clientsOf(address: string): Promise<readonly Client[]> {
  const colon = address.lastIndexOf(':')
  const sockets = Array.from({ length: connections }, () =>
    connect(Number(address.slice(colon + 1)), address.slice(0, colon)),
  )
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets.map((socket) => new Client(socket))
}

async function load(clients: readonly Client[], { requests, milliseconds }: Slice): Promise<Tally> {
  const bytes = requests.map((request) => Buffer.from(request, 'latin1'))
  let answered = 0
  let errors = 0
  const since = performance.now()
  const until = since + milliseconds
  const loop = (client: Client, from: number): Promise<void> =>
    new Promise((resolve) => {
      let at = from
      const next = (): void => client.send(bytes[at++ % bytes.length] ?? headEnd, take)
      const take = (isSuccess: boolean): void => {
        if (isSuccess) answered++
        else errors++
        if (isSuccess && performance.now() < until) next()
        else resolve()
      }
      next()
    })
  await Promise.all(clients.map((client, index) => loop(client, Math.floor((index * bytes.length) / connections))))
  return { answered, errors, seconds: (performance.now() - since) / 1000 }
}

const open = new Map<string, readonly Client[]>()

/** Servers close what has been idle for long. */
async function openClients(address: string): Promise<readonly Client[]> {
  const kept = open.get(address) ?? []
  if (kept.length > 0 && kept.every(({ isClosed }) => !isClosed)) return kept
  for (const client of kept) client.close()
  const clients = await clientsOf(address)
  open.set(address, clients)
  return clients
}

process.on('message', async (slice: Slice) => {
  process.send?.(await load(await openClients(slice.address), slice))
})
