import { describe } from 'vitest'
import { serves } from './serve-cases.ts'
import { curlCases } from './serve-cases-curl.ts'
import { grpcCases } from './serve-cases-grpc.ts'
import { loadCases } from './serve-cases-load.ts'
import { opensslCases } from './serve-cases-openssl.ts'
import { webSocketCases } from './serve-cases-websocket.ts'
import { serve } from './serve-rig.ts'

describe('landfall serve', () =>
  serves(serve, [
    [['curl'], curlCases],
    [['h2load', 'wrk'], loadCases],
    [['openssl'], opensslCases],
    [[], grpcCases],
    [[], webSocketCases],
  ]))
