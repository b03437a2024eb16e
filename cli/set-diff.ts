import { type DiffAnswer, diffAnswer } from '../control/service/answers.ts'
import { type ClientFlags, ControlClient } from './control-client.ts'
import { manifestsOf } from './manifest-body.ts'
import { UsageError } from './usage.ts'

/** A version of a set that a control service keeps. */
export interface SetVersion {
  readonly set: string
  /** undefined: the latest. */
  readonly version: string | undefined
}

/** "set:shop", or "set:shop@41". undefined for all other words. */
export function setVersionOf(text: string): SetVersion | undefined {
  if (!text.startsWith('set:')) return undefined
  const [, set, version] = /^set:([a-z0-9-]+)(?:@([1-9]\d{0,14}))?$/.exec(text) ?? []
  if (set === undefined)
    throw new UsageError(`${JSON.stringify(text)} is no version of a set; write set:NAME or set:NAME@41`)
  return { set, version }
}

/** What the control service says of a version of a set, and of another or files. undefined when it refuses: then it is said why. */
export async function diffOfSet(
  before: SetVersion,
  after: SetVersion | readonly string[],
  flags: ClientFlags,
): Promise<DiffAnswer['gateways'] | undefined> {
  const query = new URLSearchParams({ from: before.version ?? 'latest' })
  if (isVersion(after)) {
    if (after.set !== before.set) throw new UsageError('OLD and NEW are of two sets; a set is compared with itself')
    query.set('to', after.version ?? 'latest')
  }
  const manifests = isVersion(after) ? {} : await manifestsOf(after)
  const asked = { method: 'POST', path: `/v1/sets/${before.set}/diff?${query}`, ...manifests }
  return (await new ControlClient(flags).ask(asked, form))?.gateways
}

const isVersion = (after: SetVersion | readonly string[]): after is SetVersion => 'set' in after

/** The schema leaves open what the parts of a difference are; they are what the service made by the code that reads them here. */
const form = diffAnswer.transform((answer) => answer as unknown as DiffAnswer)
