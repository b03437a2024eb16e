import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { nginxHttp, nginxMain } from './nginx.ts'
import { cores, Pinned } from './process.ts'
import { grpc, large, origin, originHeader, small } from './site.ts'

/** Starts what stands behind all contenders: nginx with fixed answers, and a process that streams without end. */
export async function startOrigin(directory: string): Promise<readonly Pinned[]> {
  await mkdir(join(directory, 'bodies'), { recursive: true })
  await writeFile(join(directory, 'bodies', 'large'), Buffer.alloc(large, 'a'))
  // A gRPC message: not compressed, length in four bytes. gRPC over HTTP/2, "Length-Prefixed-Message".
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(small.length, 1)
  await writeFile(join(directory, 'bodies', 'grpc'), Buffer.concat([prefix, Buffer.from(small)]))
  const file = join(directory, 'origin.conf')
  await writeFile(file, configuration)
  return [
    new Pinned('origin', cores.origin, ['nginx', '-p', directory, '-c', file]),
    new Pinned('stream origin', cores.origin, [
      process.execPath,
      join(import.meta.dirname, 'stream.ts'),
      'serve',
      origin.stream,
    ]),
  ]
}

const api = (address: string, n: number): string => `
  server {
    listen ${address};
    add_header ${originHeader} api-${n};
    location / { return 200 '${small}'; }
    location ~ /large$ { rewrite ^ /large break; root bodies; }
  }`

/** nginx answers a POST with a file only on a way round: as the page of an error. A mirror makes it read the request to the end
 *  before: otherwise it resets some streams behind its answer, which nginx as a proxy takes amiss. */
const configuration = `${nginxMain}
http {
  ${nginxHttp}
  default_type application/json;
  sendfile on;
  open_file_cache max=10;
${origin.http.map(api).join('')}
  server {
    listen ${origin.grpc} http2;
    location = /${grpc.service}/${grpc.method} {
      mirror /nowhere;
      rewrite ^ /grpc break;
      root bodies;
      error_page 405 =200 /grpc;
    }
    location = /nowhere { return 204; }
    location = /grpc {
      internal;
      root bodies;
      default_type application/grpc;
      add_header ${originHeader} grpc;
      add_trailer grpc-status 0;
    }
  }
}
`
