import * as z from 'zod'

export const gatewayGroup = 'gateway.networking.k8s.io'

/** The `apiVersion` of a kind that is served in these versions. */
export const versions = <const Version extends string>(...served: [Version, ...Version[]]) =>
  z.literal(served.map((version): `gateway.networking.k8s.io/${Version}` => `${gatewayGroup}/${version}`))
