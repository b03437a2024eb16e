import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** What routers and neighbours see in time: with hold times of seconds and takeovers of tenths, nothing else may run beside it. */
const network = ['test/bgp-{bfd,example,interop}.test.ts', 'test/l2-{agent,example,responder}.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', 'worker/**/*.test.ts', ...network],
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'worker', include: ['worker/**/*.test.ts'], sequence: { groupOrder: 1 } },
      },
      {
        test: {
          name: 'network',
          include: network,
          testTimeout: 30_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
