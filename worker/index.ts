import { admin, adminPath } from './admin.ts'
import type { Env, SocketProps } from './config.ts'
import { route } from './route.ts'
import { createWorker, type Worker } from './worker.ts'

// One isolate has one set of bindings, so what the first request makes serves all.
let worker: Worker | undefined

export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    worker ??= createWorker(env)
    if (request.url.includes(adminPath)) {
      const url = URL.parse(request.url)
      if (url?.pathname.startsWith(adminPath)) return admin.fetch(new Request(url, request), { worker }, ctx)
    }
    return route(request, ctx.props ?? {}, worker, ctx)
  },
} satisfies ExportedHandler<Env, unknown, unknown, SocketProps>
