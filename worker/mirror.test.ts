import { expect, test } from 'vitest'
import { mirrorBody } from './mirror.ts'

const block = new Uint8Array(64 * 1024).fill(120)

function source(blocks: number): ReadableStream<Uint8Array> {
  let left = blocks
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(block)
      else controller.close()
    },
  })
}

async function size(stream: ReadableStream<Uint8Array> | null | undefined): Promise<number> {
  let total = 0
  for await (const chunk of stream ?? []) total += chunk.byteLength
  return total
}

test('every mirror that keeps up gets the whole body', async () => {
  const { primary, copies } = mirrorBody(source(8), 2)
  expect(await Promise.all([size(primary), ...copies.map(size)])).toEqual(Array(3).fill(8 * block.length))
})

test('a mirror that does not read breaks off, and the origin gets everything', async () => {
  const { primary, copies } = mirrorBody(source(64), 1)
  expect(await size(primary)).toBe(64 * block.length)
  await expect(size(copies[0])).rejects.toThrow('too slow')
})

test('a mirror that goes away changes nothing for the origin', async () => {
  const { primary, copies } = mirrorBody(source(4), 1)
  await copies[0]?.cancel()
  expect(await size(primary)).toBe(4 * block.length)
})

test('an origin that goes away ends the copies', async () => {
  const { primary, copies } = mirrorBody(source(4), 1)
  await primary?.cancel(new Error('gone'))
  await expect(size(copies[0])).rejects.toThrow('gone')
})

test('there is nothing to copy of no body', () => {
  expect(mirrorBody(null, 2)).toEqual({ primary: null, copies: [] })
})
