// What a Worker costs that does nothing: the yardstick of bench/worker.ts.
export default { fetch: (request, env) => env.CONNECTOR.fetch(request) }
