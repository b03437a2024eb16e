/** Numbers below `limit`, the same in every run with the same seed: mulberry32. */
export type Numbers = (limit: number) => number

export function numbers(seed: number): Numbers {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** What an origin may send, the request that it answers, and where the bytes are cut on their way. */
export interface Input {
  /** A character for each byte. */
  readonly text: string
  readonly method: 'GET' | 'HEAD'
  readonly upgrade: 'websocket' | undefined
  /** Positions in `text`, in ascending order. */
  readonly cuts: readonly number[]
  /** Nothing in it is wrong. */
  readonly isSound: boolean
}

export function makeInput(random: Numbers): Input {
  const method = random(12) === 0 ? 'HEAD' : 'GET'
  const upgrade = method === 'GET' && random(15) === 0 ? 'websocket' : undefined
  const isSound = random(3) === 0
  let text = isSound ? soundResponse(random, method, upgrade) : oddResponse(random, method, upgrade)
  const mutations = isSound || random(3) === 0 ? 0 : 1 + random(3)
  for (let count = 0; count < mutations; count++) text = mutated(text, random)
  return { text, method, upgrade, cuts: cutsOf(text, random), isSound }
}

function pick<T>(random: Numbers, from: readonly T[]): T {
  const chosen = from[random(from.length)]
  if (chosen === undefined) throw new Error('nothing to pick from')
  return chosen
}

const repeat = (times: number, make: () => string): string => Array.from({ length: times }, make).join('')

const chance = (random: Numbers, oneIn: number): boolean => random(oneIn) === 0

function soundResponse(random: Numbers, method: string, upgrade: string | undefined): string {
  if (upgrade !== undefined && chance(random, 2)) return `${switching}${lines(random, fields)}\r\n\x81\0`
  const interim = chance(random, 6) ? `HTTP/1.1 ${pick(random, [100, 102, 103])} x\r\n${lines(random, fields)}\r\n` : ''
  const status = pick(random, [200, 200, 200, 206, 301, 404, 500, 204, 304])
  const reason = pick(random, ['OK', '', 'Not Found', 'a\tb', '\xe9'])
  const persistence = pick(random, ['', '', '', '', 'Connection: close\r\n', 'Connection: keep-alive\r\n'])
  const head = `${interim}HTTP/1.1 ${status} ${reason}\r\n${lines(random, fields)}${persistence}`
  const rest = chance(random, 5) ? 'HTTP/1.1 200 OK\r\n\r\n' : ''
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
  const body = hasBody
    ? pick(random, ['', 'x', 'hello', '\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n', '\0\xff'.repeat(40)])
    : ''
  switch (random(3)) {
    case 0:
      return `${head}Content-Length: ${body.length}\r\n\r\n${body}${rest}`
    case 1:
      return `${head}Transfer-Encoding: chunked\r\n\r\n${hasBody ? chunks(random, body) : ''}${rest}`
    default:
      return `${head}\r\n${body}`
  }
}

const switching = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nUpgrade: WebSocket\r\n'

function chunks(random: Numbers, body: string): string {
  let text = ''
  for (let at = 0; at < body.length; ) {
    const size = 1 + random(body.length - at)
    const hex = size.toString(16)
    const digits = chance(random, 3) ? `00${hex.toUpperCase()}` : hex
    text += `${digits}${chance(random, 4) ? pick(random, extensions) : ''}\r\n${body.slice(at, at + size)}\r\n`
    at += size
  }
  return `${text}0\r\n${chance(random, 3) ? lines(random, fields) : ''}\r\n`
}

const lines = (random: Numbers, from: readonly string[]): string => repeat(random(4), () => `${pick(random, from)}\r\n`)

const extensions = [';a', ';a=b', ';a="b c"', ';a;b=c;d="\\""']

const fields = [
  'Server: x',
  'Content-Type: text/plain; charset=utf-8',
  'X-Empty:',
  'X-Blank: \t ',
  'x-latin: \xe9\xff',
  'Set-Cookie: a=b',
  'Set-Cookie: c=d',
  'Location: /x',
  'Keep-Alive: timeout=5',
  'Connection: X-Hop',
  'X-Hop: 1',
  '!#$%&\'*+-.^_`|~: "all"',
]

const oddFields = [
  ...fields,
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: -1',
  'Content-Length: 5, 5',
  'Content-Length: 5 5',
  'Content-Length: 0x5',
  'Content-Length:',
  'Content-Length: 18446744073709551615',
  'Content-Length: 18446744073709551621',
  'content-length:\t5\t',
  'Content-Length : 5',
  'Content_Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunkedx',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:',
  'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding:\tchunked\t',
  'Transfer-Encoding\t: chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:\rchunked',
  'X: a\nTransfer-Encoding: chunked',
  'Connection: close',
  'Connection: close, keep-alive',
  'Connection: upgrade',
  'Connection: Content-Length',
  'Upgrade: websocket',
  'Upgrade: h2c, websocket',
  'Trailer: X',
  'Proxy-Connection: close',
  'X: \0',
  'X: \x7f',
  'X: \x01',
  'X\xe9: 1',
  'X',
  ': 1',
  'X: 1\r\n folded',
]

function oddResponse(random: Numbers, method: string, upgrade: string | undefined): string {
  if (chance(random, 2)) return soundResponse(random, method, upgrade)
  const end = pick(random, ['\r\n', '\r\n', '\r\n', '\n', '\r'])
  const version = pick(random, versions)
  const status = `${pick(random, [' ', ' ', ' ', '  ', '\t'])}${pick(random, statuses)}`
  const reason = pick(random, [' OK', ' OK', '', ' ', '  x'])
  const headers = repeat(random(5), () => `${pick(random, oddFields)}${chance(random, 5) ? end : '\r\n'}`)
  const body = pick(random, ['', 'hello', 'hello!', chunks(random, 'hello'), oddChunks(random)])
  return `${version}${status}${reason}${end}${headers}\r\n${body}`
}

const versions = words('HTTP/1.1 HTTP/1.1 HTTP/1.1 HTTP/1.0 HTTP/1.2 HTTP/2.0 http/1.1 RTSP/1.0')
const statuses = words('200 200 200 101 204 304 199 100 999 099 20 2000 +20')

const oddChunks = (random: Numbers): string =>
  repeat(1 + random(3), () => {
    const size = pick(random, [...sizes, ' 5', '5 ', '5 ;a', '5; a', ''])
    const data = `${pick(random, ['hello', 'hell', ''])}${pick(random, ['\r\n', '\n', ''])}`
    return `${size}${pick(random, ['\r\n', '\r\n', '\n', '\r', ''])}${data}`
  })

const sizes = words('5 5 0 00 0x5 +5 -5 5; 5;a= 5;a=" g')

function words(text: string): readonly string[] {
  return text.split(' ')
}

/** What parsers disagree about. */
const tokens = [
  ...words(
    '\r\n \n \r \r\n\r\n \n\n \t \0 \x0b \x0c \x7f \x80 \xa0 \xff : ; , = " \\ - + 0 5 f F g x 0x chunked close 200',
  ),
  ...words('ffffffffffffffff fffffffffffffff 4294967296 0\r\n\r\n 5\r\nhello\r\n'),
  ...[' ', '\r\n ', 'HTTP/1.1 ', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'],
]

function mutated(text: string, random: Numbers): string {
  const at = random(text.length + 1)
  const end = Math.min(text.length, at + 1 + random(chance(random, 4) ? 20 : 3))
  switch (random(6)) {
    case 0:
      return text.slice(0, at) + text.slice(end)
    case 1:
      return text.slice(0, end) + text.slice(at)
    case 2:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1)
    case 3:
      return text.slice(0, at) + swapCase(text.slice(at, end)) + text.slice(end)
    case 4:
      return text.slice(0, at) + pick(random, tokens) + text.slice(end)
    default:
      return text.slice(0, at) + pick(random, tokens) + text.slice(at)
  }
}

const swapCase = (text: string): string => (text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase())

function cutsOf(text: string, random: Numbers): readonly number[] {
  if (chance(random, 10)) return Array.from({ length: Math.max(0, text.length - 1) }, (_, index) => index + 1)
  return Array.from({ length: random(4) }, () => random(text.length + 1)).sort((one, other) => one - other)
}
