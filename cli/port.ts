import { InvalidArgumentError } from 'commander'

/** A port number from the command line. */
export function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > 65535)
    throw new InvalidArgumentError('a port is a number from 1 to 65535.')
  return number
}
