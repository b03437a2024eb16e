import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { StatusAddress } from '../control/compile/addresses.ts'
import type { Site } from '../control/compile/compile.ts'
import { controllerNames } from '../control/compile/features.ts'

/** This machine, as the place where Gateways of both controllers are served: its own addresses are usable, and a Gateway that
 *  asks for none gets 127.0.0.1. */
export function thisMachine(): Site {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []))
  const usable = ({ type, value }: StatusAddress): boolean =>
    type === 'Hostname' ? value === 'localhost' : (isIP(value) === 4 && value.startsWith('127.')) || own.has(value)
  return {
    controllers: controllerNames,
    network: { usable, assigned: [{ type: 'IPAddress', value: '127.0.0.1' }] },
  }
}
