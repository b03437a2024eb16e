/** A port of a Service that routes lead to, as Backend.key names it. */
export interface BackendPort {
  /** "namespace/name" */
  readonly service: string
  readonly port: number
  /** Why there may be two Backends for one number: a port of UDP beside one of TCP, or routes that want HTTP/2 of a port
   *  whose appProtocol does not say so beside those that do not. */
  readonly kind: '' | 'grpc' | 'udp'
}

export const backendKey = ({ service, port, kind }: BackendPort): string =>
  `${service}:${port}${kind === '' ? '' : `/${kind}`}`

export function backendPort(key: string): BackendPort {
  const [, service = '', port, kind] = /^([^:]*):(\d+)(?:\/(grpc|udp))?$/.exec(key) ?? []
  return { service, port: Number(port), kind: kind === 'grpc' || kind === 'udp' ? kind : '' }
}
