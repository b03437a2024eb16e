import { InvalidArgumentError } from 'commander'

/** A port number from the command line. */
export function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > 65535)
    throw new InvalidArgumentError('a port is a number from 1 to 65535.')
  return number
}

/** Where to listen, as "127.0.0.1:8080" or "[::1]:8080"; port 0 is any. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^:]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) throw new InvalidArgumentError('write HOST:PORT.')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
