// The header changes of bench/worker.ts as one would write them by hand for the one route that needs them.
export default {
  async fetch(request, env) {
    const headers = new Headers(request.headers)
    headers.set('x-shop', 'bench')
    headers.append('x-added', 'by the gateway')
    headers.delete('x-removed')
    headers.set('x-forwarded-for', request.headers.get('cf-connecting-ip') ?? 'unknown')
    headers.set('x-forwarded-proto', 'http')
    const { method, body, url } = request
    const response = await env.CONNECTOR.fetch(url, { method, headers, body, redirect: 'manual' })
    const changed = new Response(response.body, response)
    changed.headers.set('x-served-by', 'bench')
    changed.headers.append('x-answered', 'yes')
    changed.headers.delete('server')
    return changed
  },
}
