/** A secret that the Worker and the connector share, with a name so that the next can overlap it. */
export interface ConnectorKey {
  /** OriginToken.keyId. */
  readonly id: string
  readonly secret: string
}

/** What is written wrong most often, and what would be right. */
export const connectorKeyForm =
  '<key id>:<secret>, with a key id of letters, digits, "-" and "_" and a secret of 16 characters or more'

/** "k1:secret"; undefined for what is not connectorKeyForm. */
export function readConnectorKey(text: string): ConnectorKey | undefined {
  const [, id, secret] = /^\s*([\w-]{1,32}):(\S{16,})\s*$/.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}
