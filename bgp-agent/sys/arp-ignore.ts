import { readFileSync, writeFileSync } from 'node:fs'

/** Which addresses the kernel answers ARP requests for: 0, any that this machine has, on whichever interface they are; 3, not
 *  for those of scope host. Of `all` and the interface's own the larger counts. Kernel documentation, ip-sysctl. */
const ANY = 0
const NOT_FOR_HOST_SCOPE = 3

const pathOf = (interfaceName: string): string => `/proc/sys/net/ipv4/conf/${interfaceName}/arp_ignore`

/** From here on the kernel answers for no address of scope host on this interface. Gives what undoes it; undefined: nothing had
 *  to be done. Throws where the system does not let it. */
export function ignoreHostScope(interfaceName: string): (() => void) | undefined {
  if (Math.max(settingOf('all'), settingOf(interfaceName)) !== ANY) return undefined
  writeFileSync(pathOf(interfaceName), String(NOT_FOR_HOST_SCOPE))
  return () => {
    try {
      if (settingOf(interfaceName) === NOT_FOR_HOST_SCOPE) writeFileSync(pathOf(interfaceName), String(ANY))
    } catch {
      // The interface has gone.
    }
  }
}

const settingOf = (interfaceName: string): number => Number(readFileSync(pathOf(interfaceName), 'utf8'))
