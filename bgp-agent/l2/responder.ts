import { once } from 'node:events'
import { writeSync } from 'node:fs'
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { close, eventDescriptor } from '../sys/libc.ts'
import type { HoldingState, HoldingTiming } from './holding.ts'
import type { FromResponder, ResponderData, ToResponder } from './responder-messages.ts'

/** An address that is to be answered for. */
export interface AnsweredAddress {
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  /** By their names. */
  readonly interfaces: readonly string[]
  /** Whether a live peer has held it, so that nobody else is asked first. */
  readonly isTakenOver: boolean
}

/** What is answered for on one interface. */
export interface ResponderEntry {
  readonly address: string
  readonly interface: string
  /** `waiting`: there is no such interface of Ethernet, or it is down, or there were too many addresses at once. */
  readonly state: HoldingState | 'waiting'
  /** Frames since the interface has come up: who has asked for the address, who has been answered, and what was told unasked. */
  readonly requests: number
  readonly answers: number
  readonly gratuitous: number
}

export interface ResponderSettings {
  /** The interface that addresses are put on for as long as they are answered for, as a rule `lo`; undefined: none, somebody else
   *  sees to it that what is sent to them is taken. */
  readonly ownedOn: string | undefined
  readonly timing: HoldingTiming
}

export interface ResponderEnds {
  readonly log: (message: string) => void
  /** Another host has the address, and it is not answered for until that is over. */
  readonly conflict: (octets: Uint8Array, interfaceName: string, mac: string) => void
  /** The thread has ended, and nothing is answered any more. */
  readonly failed: (error: Error) => void
}

/** Milliseconds that the thread is given to clear up when the process ends. */
const patience = 500

/** One more, as eventfd(2) counts. */
const one = new Uint8Array(new BigUint64Array([1n]).buffer)

/** The handle in the main thread of the one that answers ARP requests and neighbor solicitations. It takes CAP_NET_RAW, and
 *  CAP_NET_ADMIN to own addresses. */
export class Responder {
  readonly #wake: number
  readonly #ended = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  readonly #asked = new Map<number, (entries: readonly ResponderEntry[]) => void>()
  #asks = 0
  #isOver = false

  /** Throws SystemError. */
  constructor(settings: ResponderSettings, { log, conflict, failed }: ResponderEnds) {
    this.#wake = eventDescriptor()
    const workerData: ResponderData = { settings, wake: this.#wake, ended: this.#ended }
    this.#worker = new Worker(new URL('responder-thread.ts', import.meta.url), { workerData })
    this.#worker.on('message', (message: FromResponder) => {
      if (message.type === 'log') log(message.message)
      else if (message.type === 'conflict') conflict(message.octets, message.interfaceName, message.mac)
      else this.#answer(message.id, message.entries)
    })
    this.#worker.on('error', failed)
    this.#worker.on('exit', () => this.#over())
    process.on('exit', this.#leave)
  }

  /** All that is to be answered for. What was answered for goes on without a break. */
  set(whole: readonly AnsweredAddress[]): void {
    this.#tell({ type: 'set', whole })
  }

  /** Nothing once the thread has ended. */
  status(): Promise<readonly ResponderEntry[]> {
    if (this.#isOver) return Promise.resolve([])
    const id = ++this.#asks
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.#tell({ type: 'ask', id })
    })
  }

  /** Nothing is said any more, and addresses that were added to an interface are removed. */
  async close(): Promise<void> {
    if (this.#isOver) return
    const ended = once(this.#worker, 'exit')
    this.#tell({ type: 'close' })
    await ended
  }

  /** At the end of the process, which waits for the thread but does not let it come to an end of its own. */
  readonly #leave = (): void => {
    this.#tell({ type: 'close' })
    Atomics.wait(this.#ended, 0, 0, patience)
  }

  #over(): void {
    this.#isOver = true
    process.off('exit', this.#leave)
    close(this.#wake)
    for (const id of this.#asked.keys()) this.#answer(id, [])
  }

  #answer(id: number, entries: readonly ResponderEntry[]): void {
    this.#asked.get(id)?.(entries)
    this.#asked.delete(id)
  }

  /** The thread waits for descriptors, and finds the message when one of them wakes it. */
  #tell(message: ToResponder): void {
    if (this.#isOver) return
    this.#worker.postMessage(message)
    writeSync(this.#wake, one)
  }
}
