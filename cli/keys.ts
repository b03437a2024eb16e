import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { Command } from 'commander'
import { tableKeyOf } from '../control/publish/sign-key.ts'
import { fromKey, readSignKey } from './signing.ts'
import { UsageError } from './usage.ts'

const generateCommand = new Command('generate')
  .description(
    'write a new private key (Ed25519, PKCS #8 in PEM) to a file that only you can read, and print its public key',
  )
  .argument('<file>', 'must not exist yet')
  .action(async (file: string) => {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await writeFile(file, pem, { mode: 0o600, flag: 'wx', flush: true }).catch((error: Error) => {
      throw new UsageError(`cannot write the private key: ${error.message}`)
    })
    await printPublic(file, pem)
  })

const publicCommand = new Command('public')
  .description('print the public key of a private one, as readers of tables pin it')
  .argument('[file]', 'with the private key (default: LANDFALL_SIGN_KEY in the environment)')
  .action(async (file: string | undefined) => {
    const pem = await readSignKey(file)
    if (pem === undefined) throw new UsageError('there is no private key: name its file, or set LANDFALL_SIGN_KEY')
    await printPublic(file, pem)
  })

export const keysCommand = new Command('keys')
  .description('keys that tables are signed with')
  .addCommand(generateCommand)
  .addCommand(publicCommand)
  .addHelpText(
    'after',
    `
Example:
  $ landfall keys generate landfall.key
  3f0c5a9e81d2:9uCh2mJz…
  $ landfall publish -f manifests/ --to dir:/srv/tables --sign-key landfall.key --valid-for 30d
  $ landfall serve --store dir:/srv/tables --table-key 3f0c5a9e81d2:9uCh2mJz…`,
  )

async function printPublic(file: string | undefined, pem: string): Promise<void> {
  process.stdout.write(`${await fromKey(file, pem, tableKeyOf)}\n`)
}
