import type { Mirror } from '../proto/gen/route_table.ts'

/** Whether this request is one of those to be copied. `random` is in [0, 1). HTTPRequestMirrorFilter.fraction. */
export const isMirrored = ({ numerator, denominator }: Mirror, random: () => number): boolean =>
  numerator >= denominator || random() * denominator < numerator
