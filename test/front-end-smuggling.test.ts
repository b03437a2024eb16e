import { expect, test } from 'vitest'
import { startHttp1 } from './front-end-http1-rig.ts'
import { echoed } from './front-end-rig.ts'
import { smuggledRequests } from './smuggled-requests.ts'

test.for(smuggledRequests)('%s', async ([, bytes, answers, asked]) => {
  const rig = await startHttp1({ serve: echoed, limits: { lingerTimeout: 50 } })
  const client = await rig.client()
  client.write(bytes)
  const got: number[] = []
  let text = ''
  for (const _ of answers) {
    const { head, body } = await client.message()
    got.push(Number(head.split(' ')[1]))
    text = `${head}${body}`
  }
  expect(got).toEqual(answers)
  const last = answers.at(-1) ?? 0
  if (last >= 400) {
    expect(text).toMatch(/^Connection: close\r$/m)
    expect(text).toMatch(/^landfall-reason: bad-request\r$/m)
    client.socket.end()
    expect(await client.rest()).toBe('')
  }
  const seen = rig.asked.map((one) => {
    const { method, target } = one.request
    return one.aborted ? 'broken' : `${method} ${target} ${one.body}`
  })
  expect(seen).toEqual(asked)
})
