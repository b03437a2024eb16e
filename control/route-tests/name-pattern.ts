// Names as a test gives them: parts in front may be left out, and then anything will do for them.

/** "[namespace/]service[:port[/udp|/grpc]]", for Backend.key. */
export const backendPattern = /^(?:[a-z0-9.-]+\/)?[a-z][a-z0-9.-]*(?::\d{1,5}(?:\/(?:udp|grpc))?)?$/

/** "[[kind ]namespace/]name", for Rule.route. */
export const routePattern = /^(?:(?:[A-Za-z]+ )?[a-z0-9.-]+\/)?[a-z0-9.-]+$/

/** Whether a pattern means the backend with this key. Without a port any will do. */
export function isBackend(pattern: string, key: string): boolean {
  const hasPort = pattern.includes(':')
  const hasNamespace = pattern.split(':', 1).some((service) => service.includes('/'))
  const name = hasNamespace ? key : key.slice(key.indexOf('/') + 1)
  return name === pattern || name.startsWith(`${pattern}${hasPort ? '/' : ':'}`)
}

/** Whether a pattern means the route, which is "kind namespace/name". */
export const isRoute = (pattern: string, route: string): boolean =>
  route === pattern || route.endsWith(`${pattern.includes('/') ? ' ' : '/'}${pattern}`)

/** Whether "[namespace/]name" means the Gateway, which is "namespace/name". */
export const isGateway = (pattern: string, gateway: string): boolean =>
  gateway === pattern || (!pattern.includes('/') && gateway.endsWith(`/${pattern}`))
