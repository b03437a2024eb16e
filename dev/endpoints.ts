import type { GatewayTable } from '../control/table.ts'
import { endpointKey } from '../engine/origin-token-address.ts'

/** Every endpoint in the tables, as the connector names them: those and no others may be reached. */
export const endpointsOf = (tables: readonly GatewayTable[]): Set<string> =>
  new Set(
    tables.flatMap(({ backends }) =>
      backends.flatMap(({ endpoints }) => endpoints.flatMap((each) => endpointKey(each) ?? [])),
    ),
  )
