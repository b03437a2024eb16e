import type { Root } from '../../proto/gen/route_table.ts'

/** What is set for the whole of a Gateway. */
export interface SettingChange {
  readonly name: string
  readonly before: string
  readonly after: string
}

export function settingChanges(before: Root, after: Root): readonly SettingChange[] {
  const old = settingsOf(before)
  const young = settingsOf(after)
  return [...old.keys()].flatMap((name) => {
    const [was = '', is = ''] = [old.get(name), young.get(name)]
    return was === is ? [] : [{ name, before: was, after: is }]
  })
}

function settingsOf({ settings, addresses, controller }: Root): ReadonlyMap<string, string> {
  return new Map([
    ['controller', controller],
    ['addresses', addresses.toSorted().join(', ')],
    ['reason in responses', settings?.hideReason === true ? 'hidden' : 'shown'],
    ['trusted hops', String(settings?.trustedHops ?? 0)],
    ['client certificate', settings?.clientCertificate ?? ''],
  ])
}
