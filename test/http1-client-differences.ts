import { isDeepStrictEqual } from 'node:util'
import type { Input } from './http1-client-inputs.ts'
import { type OwnReading, type Reading, readNode, readOwn } from './http1-client-readings.ts'

/** Where Landfall takes a response that Node.js refuses, or reads it in another way, on purpose. */
export interface Difference {
  /** Of the file in corpus/http1/differs that shows it. */
  readonly name: string
  /** What says that Landfall is right. */
  readonly why: string
  readonly covers: (input: Input, own: Reading, node: Reading) => boolean
}

export const differences: readonly Difference[] = [
  {
    name: 'cl-two-lines-equal',
    why: 'RFC 9110 section 8.6: equal lengths may be taken for one; Node.js refuses them',
    covers: (_input, _own, node) => node.fault === 'Duplicate Content-Length',
  },
  {
    name: 'te-tab-behind',
    why: 'RFC 9112 section 5: blanks around a value, tabs too, are no part of it; for Node.js this is no chunked',
    covers: ({ text }) => /\r\ntransfer-encoding:[ \t]*chunked[ \t]*\t[ \t]*\r\n/i.test(text),
  },
  {
    name: 'connection-close-in-103',
    why: 'RFC 9112 section 9.6: the connection ends behind the response, which an interim one is not',
    covers: (_input, _own, node) => node.fault === 'Data after `Connection: close`',
  },
  {
    name: 'proxy-connection-close',
    why: 'RFC 9112 appendix C.2.2: Proxy-Connection is not to be heeded',
    covers: ({ text }, own, node) =>
      /\r\nproxy-connection:/i.test(text) && isDeepStrictEqual(alike(own), { ...alike(node), isPersistent: true }),
  },
]

/** What is wrong between the two readings of an input; undefined where both say the same, or Landfall refuses. */
export function disagreement(input: Input, own: OwnReading, node: Reading): string | undefined {
  if (own.verdict === 'refused') return input.isSound ? `refused: ${own.fault}` : undefined
  if (own.verdict === 'open' && node.verdict === 'refused') {
    // Landfall looks at a head when it is whole: it may have nothing to say yet.
    const more = readOwn({ ...input, text: `${input.text}\r\n\r\n` })
    return more.verdict === 'refused' ? undefined : `Node.js refuses: ${node.fault}`
  }
  if (own.verdict !== node.verdict) return `${own.verdict}, but ${node.verdict} for Node.js: ${node.fault}`
  const [ours, theirs] = [alike(own), alike(node)]
  // A response to HEAD has no body, so that the connection can go on: RFC 9112 section 6.3. Node.js closes it if
  // there is no length.
  const isPersistent = ours.isPersistent && (theirs.isPersistent || input.method === 'HEAD')
  if (!isDeepStrictEqual(ours, { ...theirs, isPersistent })) return 'another reading'
  return own.verdict === 'whole' && own.length !== undefined ? endFault(input, own.length) : undefined
}

/** The response ends for Node.js where it does for Landfall. */
function endFault(input: Input, end: number): string | undefined {
  const upTo = (length: number) => readNode({ ...input, text: input.text.slice(0, length), cuts: [] }).verdict
  if (upTo(end) !== 'whole') return 'Node.js reads on'
  return upTo(end - 1) === 'whole' ? 'Node.js reads less' : undefined
}

const alike = ({ fault, ...reading }: Reading & { length?: unknown }): object & Pick<Reading, 'isPersistent'> => {
  const { length, ...rest } = reading
  return rest
}
