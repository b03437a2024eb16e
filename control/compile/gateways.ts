import type { ConfigMap } from '../../kube/core/config-map.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { GatewayClass } from '../../kube/gateway-api/gateway-class.ts'
import { keyOf } from '../../kube/objects.ts'
import type { FieldPath } from '../../kube/rule.ts'
import type { Settings } from '../../proto/gen/route_table.ts'
import type { Snapshot } from '../snapshot.ts'
import { gatewayOf, nameOf } from '../snapshot-index.ts'
import { addressesOf, type GatewayAddresses, type Network } from './addresses.ts'
import { type ControllerName, controllerNames, isEdge } from './features.ts'
import { error, type Finding, turns, warning } from './finding.ts'
import type { DefaultOrigin } from './origins.ts'
import { defaultParameters, type Parameters, readParameters } from './parameters.ts'
import type { Source } from './source.ts'

/** A GatewayClass of ours. */
export interface ClassState {
  readonly class: GatewayClass
  readonly controller: ControllerName
  readonly parameters: Parameters
  readonly findings: readonly Finding[]
}

/** A Gateway of ours, as far as its own fields and those of its class go. */
export interface GatewayState extends GatewayAddresses {
  readonly gateway: Gateway
  readonly controller: ControllerName
  readonly settings: Settings
  readonly origin: DefaultOrigin
}

interface ParametersReference {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace: string | undefined
}

/** The parameters that `owner` refers to, over those of `base`. GatewayClassReasonInvalidParameters lists what can be wrong. */
function referred(
  owner: Gateway | GatewayClass,
  path: FieldPath,
  reference: ParametersReference,
  base: Parameters,
  source: Source,
): { readonly parameters: Parameters; readonly findings: readonly Finding[] } {
  const invalid = (object: Finding['object'], path: FieldPath, message: string): Finding =>
    error(object, path, 'Accepted', 'InvalidParameters', message)
  const { group, kind, namespace, name } = reference
  if (group !== '' || kind !== 'ConfigMap') {
    const shown = group === '' ? kind : `${group} ${kind}`
    return {
      parameters: base,
      findings: [invalid(owner, [...path, 'kind'], `${shown} holds no parameters; name a ConfigMap, with group ""`)],
    }
  }
  if (namespace === undefined) {
    return { parameters: base, findings: [invalid(owner, path, 'namespace is missing; a ConfigMap belongs to one')] }
  }
  const map: ConfigMap | undefined = source.look('ConfigMap', nameOf(namespace, name))
  if (map === undefined) {
    return {
      parameters: base,
      findings: [invalid(owner, [...path, 'name'], `there is no ConfigMap ${namespace}/${name}; create it`)],
    }
  }
  const { parameters, faults } = readParameters(map, base)
  return { parameters, findings: faults.map(({ key, message }) => invalid(map, ['data', key], message)) }
}

/** Whether a GatewayClass is ours, and what it sets for its Gateways. */
export function classState(
  gatewayClass: GatewayClass,
  controllers: readonly ControllerName[],
  source: Source,
): ClassState | undefined {
  const controller = controllers.find((name) => name === gatewayClass.spec.controllerName)
  if (controller === undefined) return undefined
  const reference = gatewayClass.spec.parametersRef
  const own =
    reference === undefined
      ? { parameters: defaultParameters, findings: [] }
      : referred(
          gatewayClass,
          ['spec', 'parametersRef'],
          { namespace: undefined, ...reference },
          defaultParameters,
          source,
        )
  return { class: gatewayClass, controller, ...own }
}

/** A Gateway of a class of ours: its parameters over those of the class, and its addresses. */
export function gatewayState(gateway: Gateway, ofClass: ClassState, network: Network, source: Source): GatewayState {
  const findings: Finding[] = []
  if (turns(ofClass.findings, 'Accepted')) {
    const message = `GatewayClass ${ofClass.class.metadata.name} is not accepted, because its parameters are wrong`
    findings.push(error(gateway, ['spec', 'gatewayClassName'], 'Accepted', 'InvalidParameters', message))
  }
  let { parameters } = ofClass
  const reference = gateway.spec.infrastructure?.parametersRef
  if (reference !== undefined) {
    const path = ['spec', 'infrastructure', 'parametersRef']
    const own = referred(gateway, path, { ...reference, namespace: gateway.metadata.namespace }, parameters, source)
    parameters = own.parameters
    findings.push(...own.findings)
  }
  const addresses = addressesOf(gateway, network, source.look('claim', keyOf(gateway)))
  const { controller } = ofClass
  return {
    gateway,
    controller,
    settings: parameters.settings,
    origin: isEdge(controller) ? parameters.origin : undefined,
    ...addresses,
    findings: [...findings, ...addresses.findings],
  }
}

/** About objects that were meant for us, as it seems, and are not ours. No status shows it. */
export function strays(snapshot: Snapshot): readonly Finding[] {
  const misnamed = snapshot.list('GatewayClass').flatMap((gatewayClass) => {
    const { controllerName } = gatewayClass.spec
    if (!controllerName.startsWith('landfall.dev/') || controllerNames.some((name) => name === controllerName))
      return []
    const message = `there is no controller ${controllerName}; write ${controllerNames.join(' or ')}`
    return [warning(gatewayClass, ['spec', 'controllerName'], 'UnknownValue', message)]
  })
  const classless = snapshot.list('Gateway').flatMap((gateway) => {
    const { gatewayClassName } = gateway.spec
    if (snapshot.look('GatewayClass', nameOf('', gatewayClassName)) !== undefined) return []
    const message = `there is no GatewayClass ${gatewayClassName}, so nobody serves this Gateway; create it, or correct the name`
    return [warning(gateway, ['spec', 'gatewayClassName'], 'UnknownParent', message)]
  })
  const orphaned = snapshot.list('ListenerSet').flatMap((set) => {
    const [gateway] = gatewayOf(set)
    if (gateway === undefined || snapshot.look('Gateway', gateway) !== undefined) return []
    const message = `there is no Gateway ${gateway}, so nobody serves these listeners; create it, or correct the name or namespace`
    return [warning(set, ['spec', 'parentRef', 'name'], 'UnknownParent', message)]
  })
  return [...misnamed, ...classless, ...orphaned]
}
