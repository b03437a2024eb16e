import { createServer, type Server } from 'node:http'
import { once } from 'node:events'

/** A demo origin on loopback: says in plain text who it is and what reached it. */
export async function startOrigin(name: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    const lines = Object.entries(headers).map(([header, value]) => `  ${header}: ${value}`)
    request.resume()
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.setHeader('x-origin', name)
    response.end(`${name} got ${method} ${url}\n${lines.join('\n')}\n`)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
