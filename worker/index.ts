import { admin, adminPath } from './admin.ts'
import type { Env, SocketProps } from './config.ts'
import { passOn } from './connect.ts'
import { route } from './route.ts'
import { createWorker, type Worker } from './worker.ts'

// One isolate has one set of bindings, so what the first request makes serves all.
let worker: Worker | undefined

export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    worker ??= createWorker(env)
    const { url } = request
    if (url.includes(adminPath)) {
      const parsed = URL.parse(url)
      if (parsed?.pathname.startsWith(adminPath)) return admin.fetch(new Request(parsed, request), { worker }, ctx)
    }
    return route(request, url, ctx.props ?? {}, worker, ctx)
  },

  /** Connections of one's own workerd: Cloudflare gives Workers none from outside. */
  async connect(socket, env, ctx): Promise<void> {
    worker ??= createWorker(env)
    await passOn(socket, ctx.props ?? {}, worker, ctx)
  },
} satisfies ExportedHandler<Env, unknown, unknown, SocketProps>
