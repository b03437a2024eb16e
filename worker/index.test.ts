import { expect, test } from 'vitest'
import worker from './index.ts'

test('runs in workerd', async () => {
  expect(navigator.userAgent).toBe('Cloudflare-Workers')
  expect(await worker.fetch().text()).toBe('landfall')
})
