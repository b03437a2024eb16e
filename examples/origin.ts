import { once } from 'node:events'
import { createServer } from 'node:http'

/** A demo origin on loopback: says in plain text who it is and what reached it. */
export interface Origin {
  /** "GET /path" of every request so far. */
  readonly requests: readonly string[]
  close(): void
}

export async function startOrigin(name: string, port: number): Promise<Origin> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    requests.push(`${method} ${url}`)
    const lines = Object.entries(headers).map(([header, value]) => `  ${header}: ${value}`)
    request.resume()
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.setHeader('x-origin', name)
    response.end(`${name} got ${method} ${url}\n${lines.join('\n')}\n`)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    requests,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
