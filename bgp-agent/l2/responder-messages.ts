import type { AnsweredAddress, ResponderEntry, ResponderSettings } from './responder.ts'

// Between the main thread and the one that answers.

/** What the thread begins with. */
export interface ResponderData {
  readonly settings: ResponderSettings
  /** Written to when there is a message. */
  readonly wake: number
  /** One number: 1 when the thread has cleared up. */
  readonly ended: Int32Array<SharedArrayBuffer>
}

export type ToResponder =
  | { readonly type: 'set'; readonly whole: readonly AnsweredAddress[] }
  | { readonly type: 'ask'; readonly id: number }
  | { readonly type: 'close' }

export type FromResponder =
  | { readonly type: 'log'; readonly message: string }
  | {
      readonly type: 'conflict'
      readonly octets: Uint8Array
      readonly interfaceName: string
      readonly mac: string
    }
  | { readonly type: 'status'; readonly id: number; readonly entries: readonly ResponderEntry[] }
