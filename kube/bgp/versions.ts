import * as z from 'zod'

export const ciliumGroup = 'cilium.io'
export const landfallGroup = 'landfall.dev'

/** Cilium stores v2, and serves v2alpha1 too. */
export const ciliumVersions = z.literal(['cilium.io/v2', 'cilium.io/v2alpha1'])
export const landfallVersions = z.literal('landfall.dev/v1alpha1')
