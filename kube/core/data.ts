import * as z from 'zod'
import { texts } from '../fields.ts'
import { rule } from '../rule.ts'

/** Bytes that fit in all values of a Secret or ConfigMap. */
const limit = 1024 * 1024

const keyPattern = /^[-._a-zA-Z0-9]+$/
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

const keys = rule<Readonly<Record<string, string>>>((data, report) => {
  let size = 0
  for (const key in data) {
    size += data[key]?.length ?? 0
    if (key.length > 253 || !keyPattern.test(key) || key === '.' || key.startsWith('..')) {
      report([key], 'is no valid key; write up to 253 letters, digits, "-", "_" or "."')
    }
  }
  if (size > limit * 1.4) report([], `holds more than ${limit} bytes; split it`, true)
})

export const textData = texts.check(keys)

/** Values in base64, here without line breaks. */
export const binaryData = z
  .record(
    z.string(),
    z
      .string()
      .nullable()
      .transform((value) => (value ?? '').replace(/[\r\n]/g, '')),
  )
  .check(keys)
  .check(
    rule((data, report) => {
      for (const key in data) {
        const value = data[key] ?? ''
        if (value.length % 4 !== 0 || !base64.test(value)) report([key], 'is not base64; encode it')
      }
    }),
  )
