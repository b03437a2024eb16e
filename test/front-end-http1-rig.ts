import { onTestFinished } from 'vitest'
import { createHttp1Server } from '../standalone/http1-server/http1-server.ts'
import type { Http1Limits } from '../standalone/http1-server/limits.ts'
import { type Asked, type FrontEndRig, type FrontEndRigOptions, startFrontEnd } from './front-end-rig.ts'
import type { RawConnection } from './raw-connection.ts'

/** A front end of HTTP/1.1, until the test is over. */
export async function startHttp1(options: FrontEndRigOptions<Http1Limits> = {}): Promise<FrontEndRig> {
  const rig = await startFrontEnd(createHttp1Server, options)
  onTestFinished(() => rig.close())
  return rig
}

/** A front end, a client that has sent `bytes` to it, and the request that was handed over. */
export async function ask(
  bytes = get(),
  options: FrontEndRigOptions<Http1Limits> = {},
): Promise<{ readonly rig: FrontEndRig; readonly client: RawConnection; readonly asked: Asked }> {
  const rig = await startHttp1(options)
  const client = await rig.client()
  client.write(bytes)
  return { rig, client, asked: await rig.next() }
}

export const get = (lines = ''): string => `GET /g?q=1 HTTP/1.1\r\nHost: Shop.Example:8080\r\n${lines}\r\n`
export const post = (length: number, body = ''): string =>
  `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`
