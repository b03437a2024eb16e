import type { Reading } from '../control/project.ts'

/** How many Gateways are named. */
const maxNamed = 5

/** Why nothing is served, as a sentence; undefined where a Gateway is there to serve. */
export function nothingToServe({ compiled, snapshot }: Reading, controller: string): string | undefined {
  if (compiled.gateways.length > 0) return undefined
  const gateways = snapshot.list('Gateway')
  if (gateways.length === 0) return 'nothing is served: the manifests have no Gateway'
  const named = gateways.slice(0, maxNamed).map(({ metadata: { namespace, name }, spec: { gatewayClassName } }) => {
    const owner = snapshot.look('GatewayClass', `/${gatewayClassName}`)?.spec.controllerName
    return `${namespace}/${name} of class ${gatewayClassName} ${owner === undefined ? '(which is not there)' : `is that of ${owner}`}`
  })
  const more = gateways.length > maxNamed ? ` and ${gateways.length - maxNamed} more` : ''
  return `nothing is served: no Gateway is that of controller ${controller}; ${named.join(', ')}${more}`
}
