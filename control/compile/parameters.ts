import type { ConfigMap } from '../../kube/core/config-map.ts'
import { Origin, type Settings } from '../../proto/gen/route_table.ts'

/** What a ConfigMap named by GatewayClassSpec.parametersRef or GatewayInfrastructure.parametersRef sets. */
export interface Parameters {
  /** How the Worker reaches the backends that do not say so themselves. */
  readonly origin: Origin
  readonly settings: Settings
}

export const defaultParameters: Parameters = {
  origin: Origin.CONNECTOR,
  settings: { hideReason: false, trustedHops: 0, clientCertificate: '' },
}

/** The three ways of a Worker to an origin, as manifests write them. */
export const originNames: Readonly<Record<string, Origin>> = {
  connector: Origin.CONNECTOR,
  'resolve-override': Origin.RESOLVE_OVERRIDE,
  url: Origin.URL,
}

export const originWords = 'connector, resolve-override or url'

/** Proxies in a row that anyone has; more is a mistake. */
const maxTrustedHops = 16

export interface ParameterFault {
  readonly key: string
  readonly message: string
}

/** The parameters of `map` over those of `base`. A key that is wrong or unknown changes nothing and gives a fault. */
export function readParameters(
  { data }: ConfigMap,
  base: Parameters,
): { readonly parameters: Parameters; readonly faults: readonly ParameterFault[] } {
  let { origin, settings } = base
  const faults: ParameterFault[] = []
  for (const [key, value] of Object.entries(data)) {
    const shown = JSON.stringify(value)
    switch (key) {
      case 'origin': {
        const found = Object.hasOwn(originNames, value) ? originNames[value] : undefined
        if (found === undefined) faults.push({ key, message: `${shown} is no way to an origin; write ${originWords}` })
        else origin = found
        break
      }
      case 'hideReason':
        if (value !== 'true' && value !== 'false')
          faults.push({ key, message: `${shown} is neither "true" nor "false"` })
        else settings = { ...settings, hideReason: value === 'true' }
        break
      case 'trustedHops':
        if (!/^\d{1,2}$/.test(value) || Number(value) > maxTrustedHops) {
          faults.push({ key, message: `${shown} is no number of proxies; write "0" to "${maxTrustedHops}"` })
        } else settings = { ...settings, trustedHops: Number(value) }
        break
      default:
        faults.push({
          key,
          message: 'is no parameter of Landfall; the parameters are origin, hideReason and trustedHops',
        })
    }
  }
  return { parameters: { origin, settings }, faults }
}
