import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { InvalidArgumentError, Option } from 'commander'
import { MIN_VALIDITY } from '../control/publish/sign.ts'
import { type Signer, SignKeyError, signerOf } from '../control/publish/sign-key.ts'
import type { Store } from '../control/publish/store.ts'
import { storedTables } from '../control/publish/stored.ts'
import { UsageError } from './usage.ts'

/** The environment variable with a private key, for CI: the text of the file that `landfall keys generate` writes. */
const variable = 'LANDFALL_SIGN_KEY'

/** What commands that publish say of signatures. */
export interface SigningFlags {
  readonly signKey?: string
  /** Seconds. */
  readonly validFor?: number
}

export const signKeyOption = (): Option =>
  new Option('--sign-key <file>', `sign the tables with this private key (default: that in ${variable}, if any)`)

export const validForOption = (): Option =>
  new Option(
    '--valid-for <time>',
    'how long signed tables can be taken, as 30d or 12h; published in time, they are signed anew (default: for ever)',
  ).argParser(validity)

export interface Signing {
  readonly signer: Signer | undefined
  /** Seconds; undefined: for ever. */
  readonly validFor: number | undefined
}

export async function signingOf({ signKey, validFor }: SigningFlags): Promise<Signing> {
  const pem = await readSignKey(signKey)
  if (pem !== undefined) return { signer: await fromKey(signKey, pem, signerOf), validFor }
  if (validFor === undefined) return { signer: undefined, validFor }
  throw new UsageError(`--valid-for needs a key to sign with: --sign-key FILE, or ${variable} in the environment`)
}

/** The text of a private key; undefined where none is named. */
export async function readSignKey(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env[variable] || undefined
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`cannot read the private key: ${error.message}`)
  })
}

/** What `make` makes of a private key. Says where a bad one came from, and nothing of what stands there. */
export async function fromKey<T>(file: string | undefined, pem: string, make: (pem: string) => Promise<T>): Promise<T> {
  try {
    return await make(pem)
  } catch (error) {
    if (error instanceof SignKeyError) throw new UsageError(`${file ?? variable}: ${error.message}`)
    throw error
  }
}

/** Who forgot the key would publish what no reader with pinned keys takes. */
export async function refuseToDowngrade(store: Store): Promise<void> {
  if ([...(await storedTables(store)).values()].every(({ signed }) => signed === undefined)) return
  throw new UsageError(
    'the tables of the store are signed, and readers with pinned keys take no others: --sign-key signs these, --unsigned publishes them as they are',
  )
}

const secondsOf = new Map([
  ['h', 3_600],
  ['d', 86_400],
])

/** Seconds. */
function validity(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([hd])$/.exec(text) ?? []
  const seconds = Number(number) * (secondsOf.get(unit) ?? 0)
  if (seconds < MIN_VALIDITY || seconds > maxValidity)
    throw new InvalidArgumentError('write hours or days, as 12h or 30d, from 1h to 3650d.')
  return seconds
}

const maxValidity = 3650 * 86_400
