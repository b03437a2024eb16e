// The keys of a store's entries: a root has the name of its Gateway, a shard that of its hash.

export const rootPrefix = 'gateway/'
export const shardPrefix = 'shard/'

/** `gateway`: "namespace/name". */
export const rootKey = (gateway: string): string => rootPrefix + gateway
export const gatewayOf = (key: string): string => key.slice(rootPrefix.length)

/** `hash`: in hexadecimal. */
export const shardKey = (hash: string): string => shardPrefix + hash
export const hashOf = (key: string): string => key.slice(shardPrefix.length)
