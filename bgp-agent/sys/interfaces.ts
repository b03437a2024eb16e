import { networkInterfaces } from 'node:os'

/** The addresses of each interface of this machine, by its name. */
export const interfaceAddresses = (): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(networkInterfaces()).map(([name, infos = []]) => [name, infos.map(({ address }) => address)]))

/** The networks of each interface of this machine that is up, but for loopback: "192.0.2.1/24". By the interface's name, without
 *  what ifconfig(8) has put behind it for one of its addresses. */
export function interfaceNetworks(): ReadonlyMap<string, readonly string[]> {
  const networks = new Map<string, string[]>()
  for (const [label, infos = []] of Object.entries(networkInterfaces())) {
    const [name = ''] = label.split(':')
    for (const { cidr, internal } of infos)
      if (!internal && cidr !== null) networks.set(name, [...(networks.get(name) ?? []), cidr])
  }
  return networks
}
