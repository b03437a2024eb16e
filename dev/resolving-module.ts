/** Stands in front of the Worker's own module: workerd ignores cf.resolveOverride, so what asks for it goes to RESOLVER. */
export const resolvingModule = `import { env } from 'cloudflare:workers'
import worker from './worker.js'

const { fetch } = globalThis
globalThis.fetch = (target, init) =>
  init?.cf?.resolveOverride === undefined ? fetch(target, init) : env.RESOLVER.fetch(target, init)

export default worker
`
