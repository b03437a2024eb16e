// Requests with a second one hidden in them, and requests that have two readings.

import { ambiguousFramings, brokenChunks, hidden, inChunk, plainFramings } from './hidden-requests.ts'

/** `answers`: what the client gets, a status for each answer. `asked`: what is served, method, target and body, and "broken"
 *  where a body has no end. Nothing hidden is ever among it. */
export type SmuggledRequest = readonly [
  name: string,
  bytes: string,
  answers: readonly number[],
  asked: readonly string[],
]

const refused = (name: string, bytes: string, status = 400): SmuggledRequest => [name, bytes, [status], []]
const post = (lines: string, body: string): string => `POST /p HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`
const get = (lines: string): string => `GET /g HTTP/1.1\r\n${lines}\r\n${hidden}`

const heads: readonly SmuggledRequest[] = [
  refused('no Host', get('')),
  refused('two Hosts', get('Host: a\r\nHost: b\r\n')),
  refused('two equal Hosts', get('Host: a\r\nhost: a\r\n')),
  refused('an empty Host', get('Host:\r\n')),
  refused('a Host with a user', get('Host: user@a\r\n')),
  refused('a Host with a path', get('Host: a/b\r\n')),
  refused('a Host with a space', get('Host: a b\r\n')),
  refused('a Host that is two', get('Host: a, b\r\n')),
  refused('a Host with a port that is none', get('Host: a:b\r\n')),
  refused('a Host with a port too high', get('Host: a:65536\r\n')),
  refused('a Host with two ports', get('Host: a:80:80\r\n')),
  refused('a Host in Latin-1', get('Host: b\xfccher.example\r\n')),
  refused('a Host with an escape', get('Host: a%2eb\r\n')),
  refused('a Host on two lines', get('Host: a\r\n b\r\n')),
  refused('a space before the colon', get('Host : a\r\n')),
  refused('a line folded before Host', get(' X: y\r\nHost: a\r\n')),
  refused('bare line feeds', 'GET /g HTTP/1.1\nHost: a\n\n'),
  refused('one bare line feed', get('Host: a\r\nX: y\nZ: z\r\n')),
  refused('a bare carriage return', get('Host: a\r\nX: y\rZ: z\r\n')),
  refused('a NUL in a header', get('Host: a\r\nX: \0\r\n')),
  refused('a NUL in a name', get('Host: a\r\nX\0: y\r\n')),
  refused('a control character in a header', get('Host: a\r\nX: \x01\r\n')),
  refused('a line without a colon', get('Host: a\r\nX\r\n')),
  refused('a name that is empty', get('Host: a\r\n: y\r\n')),
  refused('another Expect', post('Content-Length: 5\r\nExpect: y 100-continue\r\n', 'hello'), 417),
]

const targets: readonly SmuggledRequest[] = [
  refused('an absolute target with another host', `GET http://internal/ HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an absolute target with a user', `GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an absolute target with another port', `GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an absolute target without a host', `GET http:///g HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an absolute target with a backslash', `GET http://a\\g HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an absolute target without Host', `GET http://a/ HTTP/1.1\r\n\r\n${hidden}`),
  refused('a target of another scheme', `GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an authority for a target', `GET internal:80 HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('CONNECT', `CONNECT internal:80 HTTP/1.1\r\nHost: internal:80\r\n\r\n${hidden}`, 501),
  refused('a fragment', `GET /#f HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('* for GET', `GET * HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a target without a slash', `GET g HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a space in the target', `GET /g h HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a request line twice', `GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a tab for a space', `GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a control character in the target', `GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a DEL in the target', `GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a target that is no UTF-8', `GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('a target too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`, 414),
  refused(
    'a head too long',
    `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'x'.repeat(990)}\r\n`.repeat(70)}\r\n${hidden}`,
    431,
  ),
  refused('a method in small letters', `get / HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('an unknown method', `HACK / HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`),
  refused('HTTP/0.9', `GET /\r\nHost: a\r\n\r\n${hidden}`, 505),
  refused('HTTP/0.9 in words', `GET / HTTP/0.9\r\nHost: a\r\n\r\n${hidden}`, 505),
  refused('HTTP/1.0 with chunks', `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${inChunk}`),
  refused('HTTP/1.2', `GET / HTTP/1.2\r\nHost: a\r\n\r\n${hidden}`),
  refused('HTTP/2.0', `GET / HTTP/2.0\r\nHost: a\r\n\r\n${hidden}`, 505),
  refused('http/1.1 in small letters', `GET / http/1.1\r\nHost: a\r\n\r\n${hidden}`),
]

const understood: readonly SmuggledRequest[] = [
  [
    'a body on GET',
    `GET /g HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    [200],
    [`GET /g ${hidden}`],
  ],
  [
    'a body on DELETE, in chunks',
    `DELETE /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${inChunk}`,
    [200],
    [`DELETE /d ${hidden}`],
  ],
  [
    'a length in a trailer',
    post('Transfer-Encoding: chunked\r\n', `0\r\nContent-Length: 5\r\n\r\n`),
    [400],
    ['broken'],
  ],
  [
    'trailers too long',
    post('Transfer-Encoding: chunked\r\n', `0\r\n${`X: ${'x'.repeat(990)}\r\n`.repeat(70)}\r\n`),
    [431],
    ['broken'],
  ],
  [
    'a chunk extension too long',
    post('Transfer-Encoding: chunked\r\n', `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
    [413],
    ['broken'],
  ],
  [
    'an upgrade to h2c',
    'GET /g HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n',
    [200],
    ['GET /g '],
  ],
  [
    'an upgrade with a body',
    `GET /g HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello`,
    [200],
    ['GET /g hello'],
  ],
  [
    'an upgrade of POST',
    `POST /p HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello`,
    [200],
    ['POST /p hello'],
  ],
  ['an absolute target', 'GET http://A/g?q HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET /g?q ']],
  ['an absolute target of https', 'GET HTTPS://a/g HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET /g ']],
  ['an absolute target without a path', 'GET http://a HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET / ']],
  ['an absolute target with only a query', 'GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET /?q ']],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['OPTIONS * ']],
  ['a path with dots', 'GET /a/../g/%2e%2e/\\x HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET //x ']],
  ['an empty line in front', '\r\nGET /g HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET /g ']],
  ['HTTP/1.0', 'GET /g HTTP/1.0\r\nHost: a\r\n\r\n', [200], ['GET /g ']],
  [
    'two requests in a row',
    `GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${post('Content-Length: 2\r\n', 'ok')}`,
    [200, 200],
    ['GET /1 ', 'POST /p ok'],
  ],
  [
    'junk behind a request, which is answered before it',
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\njunk\r\n\r\n',
    [200, 400],
    ['GET /1 '],
  ],
  [
    'a request that closes, and one behind it',
    `GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${hidden}`,
    [200],
    ['GET /1 '],
  ],
]

export const smuggledRequests: readonly SmuggledRequest[] = [
  ...ambiguousFramings.map(([name, lines, body]) => refused(name, post(lines, body))),
  ...brokenChunks.map(([name, lines, body]): SmuggledRequest => [name, post(lines, body), [400], ['broken']]),
  ...heads,
  ...targets,
  ...understood,
  ...plainFramings.map(
    ([name, lines, body, content]): SmuggledRequest => [name, post(lines, body), [200], [`POST /p ${content}`]],
  ),
]
