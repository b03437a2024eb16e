import { STATUS_CODES } from 'node:http'
import type { Why } from '../../engine/decision.ts'
import { reasonHeader, statusOf } from '../../engine/reason.ts'
import type { ExchangeError } from '../exchange.ts'
import { written } from '../raw-headers.ts'

// What a front end answers itself. It knows of no Gateway yet whose hideReason would leave the reason out.

export const answerText = (status: number, why: Why): string => `${status} ${why}\n`

/** `header` names the reason. */
export const answerLines = (status: number, why: Why, header: string = reasonHeader): string[] => [
  header,
  why,
  'Content-Type',
  'text/plain; charset=utf-8',
  'Content-Length',
  `${answerText(status, why).length}`,
]

/** A whole HTTP/1.1 message that closes the connection, for bytes that were no request. */
export function closingAnswer(status: number, why: Why, header: string): string {
  const lines = [...answerLines(status, why, header), 'Connection', 'close']
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${written(lines)}\r\n${answerText(status, why)}`
}

/** How an exchange that has failed is answered where nobody else has done so. */
export function answerTo({ kind }: ExchangeError): { readonly status: number; readonly why: Why } {
  if (kind === 'invalid-request') return { status: 400, why: 'bad-request' }
  const why = kind === 'timeout' ? 'backend-timeout' : kind === 'unprocessed' ? 'connection-lost' : kind
  return { status: statusOf(why), why }
}
