import type { StatusAddress } from '../compile/addresses.ts'
import { controllerNames } from '../compile/features.ts'
import { signerOf } from '../publish/sign-key.ts'
import { app } from './app.ts'
import { type D1, D1Sql } from './d1-sql.ts'
import { type Kv, KvStore } from './kv-store.ts'
import { LeasedTurns } from './leased-turns.ts'
import { workerLimits } from './limits.ts'
import { prepare } from './schema.ts'
import { createService, type Service } from './service.ts'

interface Env {
  readonly TABLES: Kv
  readonly HISTORY: D1
  /** "192.0.2.1,2001:db8::1": of Gateways that ask for none. */
  readonly ADDRESSES?: string
  /** Private key that tables are signed with; a secret. */
  readonly SIGN_KEY?: string
  /** Seconds that signed tables can be taken; for ever when it is not set. */
  readonly VALID_FOR?: string
}

let service: Promise<Service> | undefined

async function started({ TABLES, HISTORY, ADDRESSES = '', SIGN_KEY, VALID_FOR }: Env): Promise<Service> {
  const sql = new D1Sql(HISTORY)
  await prepare(sql)
  const clock = {
    now: Date.now,
    wait: (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds)),
  }
  const publishing = {
    signer: SIGN_KEY === undefined ? undefined : await signerOf(SIGN_KEY),
    validFor: VALID_FOR === undefined ? undefined : Number(VALID_FOR),
  }
  return createService(
    {
      ...{ sql, store: new KvStore(TABLES), limits: workerLimits, publishing, now: Date.now },
      turns: new LeasedTurns(sql, crypto.randomUUID(), clock),
      site: { controllers: controllerNames, network: { usable: () => true, assigned: addressesOf(ADDRESSES) } },
      log: (level, event, fields) => console[level](JSON.stringify({ level, event, ...fields })),
    },
    new AbortController().signal,
  )
}

const addressesOf = (text: string): readonly StatusAddress[] =>
  text.split(',').flatMap((each) => (each.trim() === '' ? [] : [{ type: 'IPAddress', value: each.trim() }]))

function serviceOf(env: Env): Promise<Service> {
  service ??= started(env).catch((error: unknown) => {
    service = undefined
    throw error
  })
  return service
}

/** The control service as a Worker. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return app.fetch(request, { service: await serviceOf(env) })
  },

  /** Finishes what was left, and renews signatures. */
  async scheduled(_event: unknown, env: Env): Promise<void> {
    const { publisher } = await serviceOf(env)
    await publisher.recover()
    await publisher.renew()
  },
}
