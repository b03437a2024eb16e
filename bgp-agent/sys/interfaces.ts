import { networkInterfaces } from 'node:os'

/** The addresses of each interface of this machine, by its name. */
export const interfaceAddresses = (): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(networkInterfaces()).map(([name, infos = []]) => [name, infos.map(({ address }) => address)]))
