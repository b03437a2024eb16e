import * as z from 'zod'
import { list, sectionName } from '../fields.ts'
import { backendReference } from './references.ts'

/** TLSRouteRule, TCPRouteRule and UDPRouteRule. */
export const l4Rule = z.object({
  name: sectionName.exactOptional(),
  backendRefs: list(backendReference, 16, 1),
})
export type L4RouteRule = z.output<typeof l4Rule>
