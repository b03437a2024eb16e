import { join } from 'node:path'
import { describe } from 'vitest'
import { serves } from './serve-cases.ts'
import { curlCases } from './serve-cases-curl.ts'
import { grpcCases } from './serve-cases-grpc.ts'
import { opensslCases } from './serve-cases-openssl.ts'
import { webSocketCases } from './serve-cases-websocket.ts'

const dev = [join(import.meta.dirname, '../cli/landfall'), 'dev', '-f', '{dir}']

describe('landfall dev', () =>
  serves(
    dev,
    [
      [['curl'], curlCases],
      [['openssl'], opensslCases],
      [[], grpcCases],
      [[], webSocketCases],
    ],
    {
      'curl sees the trailers of an origin by HTTP/2, and by HTTP/1.1 where it says that it takes them':
        'fetch() of a Worker has no trailers, but for those of gRPC-Web',
      'curl sees the early hints of an origin by HTTP/1.1': 'fetch() of a Worker has no 103',
      'curl sees the early hints of an origin by HTTP/2': 'fetch() of a Worker has no 103',
    },
  ))
