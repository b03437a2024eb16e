import { connectorKeyForm, readConnectorKey } from '../engine/connector-key.ts'
import { EndpointBalancer } from '../engine/endpoints.ts'
import { RetryBudget } from '../engine/retry-budget.ts'
import { type Config, type Env, readConfig } from './config.ts'
import { ConnectorTokens } from './connector-tokens.ts'
import { Metrics } from './metrics.ts'
import { type Connector, Origins } from './origin.ts'
import { Tables } from './tables.ts'
import type { Upstreams } from './tries.ts'

/** Everything that lives as long as the isolate. */
export interface Worker {
  readonly config: Config
  readonly tables: Tables
  readonly upstreams: Upstreams
  readonly metrics: Metrics
}

export function createWorker(env: Env): Worker {
  const config = readConfig(env)
  const key = readConnectorKey(env.CONNECTOR_KEY ?? '')
  if (key === undefined && env.CONNECTOR_KEY !== undefined)
    console.error(`landfall: CONNECTOR_KEY is not ${connectorKeyForm}`)
  const tokens = key && new ConnectorTokens(key)
  return {
    config,
    tables: new Tables(env.TABLES, config),
    upstreams: {
      origins: new Origins(connectorOf(env), tokens),
      balancer: new EndpointBalancer(),
      budget: new RetryBudget(),
      now: () => Date.now(),
      random: Math.random,
    },
    metrics: new Metrics(),
  }
}

function connectorOf({ CONNECTOR, CONNECTOR_URL }: Env): Connector | undefined {
  // A binding goes to one service, whatever host the URL has.
  if (CONNECTOR !== undefined)
    return { url: 'http://connector', fetch: (target, init) => CONNECTOR.fetch(target, init) }
  return CONNECTOR_URL === undefined || !URL.canParse(CONNECTOR_URL)
    ? undefined
    : { url: new URL(CONNECTOR_URL).origin, fetch: (target, init) => fetch(target, init) }
}
