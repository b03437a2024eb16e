// Header lines and bodies that say where a request ends, with a second request hidden in them.

export const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
/** Ends a chunked body, for those who see one, in front of the hidden request. */
const chunkedThenHidden = `0\r\n\r\n${hidden}`
/** A chunked body that is the hidden request. */
export const inChunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`

/** `lines`: with the end of the last. */
export type Framing = readonly [name: string, lines: string, body: string]

const lengths = [
  '+5',
  '-5',
  '0x5',
  '5,5',
  '5, 5',
  '5 5',
  '5;5',
  '5.0',
  '"5"',
  '',
  '99999999999999999999',
  '5\x0b',
  '5\r\nContent-Length: 6',
  '5\r\nContent-Length: 5',
  '5\r\n 5',
  '5\n',
  '5\r',
].map(
  (value): Framing => [`Content-Length: ${JSON.stringify(value)}`, `Content-Length: ${value}\r\n`, chunkedThenHidden],
)

const codings = [
  'xchunked',
  'identity',
  'gzip, chunked',
  'chunked, identity',
  'chunked, gzip',
  'chunked, chunked',
  'chunked;q=1',
  '"chunked"',
  'chunked\x0b',
  'chunked\x00',
  'x\x0bchunked',
  ',chunked',
  'chunked,',
  '',
  'identity\r\nTransfer-Encoding: chunked',
  'chunked\r\nTransfer-Encoding: identity',
  'chunked\r\nTransfer-Encoding: chunked',
  '\r\n chunked',
  'x\r\n chunked',
  'chunked\n',
  'x\nTransfer-Encoding: chunked',
].map((value): Framing => [`Transfer-Encoding: ${JSON.stringify(value)}`, `Transfer-Encoding: ${value}\r\n`, inChunk])

const both = [
  'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 6\r\n',
  'Content-Length: 6\r\nTransfer-Encoding: xchunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding: identity\r\n',
  'Content-Length: 6\r\nTransfer-Encoding:\r\n chunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding : chunked\r\n',
  'Content-Length: 6\r\n Transfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nX: y\nTransfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nX: y\rTransfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding\x00: chunked\r\n',
  'Content-Length: 6\r\n\x0bTransfer-Encoding: chunked\r\n',
  'Content-Length: 6\r\nTransfer-Encoding\r\n: chunked\r\n',
].map((lines): Framing => [JSON.stringify(lines), lines, chunkedThenHidden])

/** What has two readings, and so is a bad request. */
export const ambiguousFramings: readonly Framing[] = [...lengths, ...codings, ...both]

/** The head is good, and the exchange has begun, before the body turns out not to be. */
export const brokenChunks: readonly Framing[] = [
  '5 \r\nhello\r\n',
  '0x5\r\nhello\r\n',
  '+5\r\nhello\r\n',
  '-5\r\nhello\r\n',
  '5\nhello\r\n',
  '5\rhello\r\n',
  '5\r\nhello\n',
  '5\r\nhelloX\r\n',
  '5\r\nhello',
  'FFFFFFFFFFFFFFFF5\r\nhello\r\n',
  '\r\nhello\r\n',
  '5;a\nb\r\nhello\r\n',
  '5;a="\n"\r\nhello\r\n',
  'g\r\n',
].map((chunk) => [
  `the chunk ${JSON.stringify(chunk)}`,
  'Transfer-Encoding: chunked\r\n',
  `${chunk}${chunkedThenHidden}`,
])

const ofHidden = `Content-Length: ${hidden.length}\r\n`

/** What has one reading: `content` is the body, without its coding. */
export const plainFramings: readonly (readonly [...Framing, content: string])[] = [
  ['a body of known length', ofHidden, hidden, hidden],
  ['a body of known length, in spaces', `Content-Length: \t${hidden.length} \t\r\n`, hidden, hidden],
  ['a body in chunks', 'Transfer-Encoding: chunked\r\n', inChunk, hidden],
  ['a body in Chunks', 'Transfer-Encoding: \tChunked \r\n', inChunk, hidden],
  ['chunk extensions', 'Transfer-Encoding: chunked\r\n', `2;a=b;c="d"\r\nok\r\n${inChunk}`, `ok${hidden}`],
  ['Connection that names what frames', `Connection: content-length, host\r\n${ofHidden}`, hidden, hidden],
  [
    'Connection that names Transfer-Encoding',
    'Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n',
    inChunk,
    hidden,
  ],
  ['a body behind Expect', `Expect: 100-continue\r\n${ofHidden}`, hidden, hidden],
  ['underscores', `Content_Length: 0\r\nTransfer_Encoding: chunked\r\n${ofHidden}`, hidden, hidden],
  ['a chunk in a header', `X: 0\r\n${ofHidden}`, hidden, hidden],
]
